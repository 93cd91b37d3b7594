// Microsoft's JavaScript client through the main path of a job.
//
//   node life.mjs CLIENT VERSION ROOT TOKEN TARGET TARGET_TOKEN
//
// CLIENT is the folder of the installed package. Ends with 0 if everything was as a client relies on.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [folder, version, root, token, target, targetToken] = process.argv.slice(2);
const { Client, HTTPMessageHandler, PageIterator } = createRequire(`${folder}/`)(
  "@microsoft/microsoft-graph-client",
);
const GALLERY = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621";
const CORE = "urn:ietf:params:scim:schemas:core:2.0:User";
const BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

// Its own handlers send a token only over https, and only to hosts that they were told of. Over plain http an
// application brings a handler of its own.
function connected(token) {
  if (root.startsWith("https:")) {
    return Client.initWithMiddleware({
      authProvider: { getAccessToken: async () => token },
      baseUrl: `${root}/`,
      defaultVersion: version,
      customHosts: new Set(["localhost"]),
    });
  }
  const authorize = {
    async execute(context) {
      const headers = new Headers(context.options.headers);
      headers.set("Authorization", `Bearer ${token}`);
      context.options.headers = Object.fromEntries(headers);
      return this.next.execute(context);
    },
    setNext(next) {
      this.next = next;
    },
  };
  authorize.setNext(new HTTPMessageHandler());
  return Client.initWithMiddleware({ middleware: authorize, baseUrl: `${root}/`, defaultVersion: version });
}

const graph = connected(token);
const told = (step) => console.log(step);

async function refused(request) {
  try {
    await request;
  } catch (failure) {
    return failure;
  }
  throw new Error("this was not refused");
}

async function until(look, isSo) {
  for (let count = 0; count < 1000; count++) {
    const seen = await look();
    if (isSo(seen)) return seen;
    await new Promise((resume) => setTimeout(resume, 50));
  }
  throw new Error("this never happened");
}

const credentials = [
  { key: "BaseAddress", value: target },
  { key: "SecretToken", value: targetToken },
];

async function principal(name) {
  const made = await graph
    .api(`/applicationTemplates/${GALLERY}/instantiate`)
    .post({ displayName: name });
  const found = await graph
    .api("/servicePrincipals")
    .filter(`displayName eq '${name}'`)
    .select(["id", "displayName"])
    .get();
  assert.deepEqual(
    found.value.map((one) => one.id),
    [made.servicePrincipal.id],
  );
  return `/servicePrincipals/${made.servicePrincipal.id}/synchronization`;
}

const sync = await principal(`Driven by JavaScript ${version}`);
assert.equal(await graph.api(`${sync}/secrets`).put({ value: credentials }), undefined);
const held = await graph.api(`${sync}/secrets`).get();
assert.deepEqual(
  held.value.map((one) => one.value),
  [target, "*"],
);
told("secrets");

const templates = await graph.api(`${sync}/templates`).get();
assert.ok(templates.value.some((one) => one.id === "customappsso"));
const made = await graph.api(`${sync}/jobs`).post({ templateId: "customappsso" });
assert.equal(made.status.code, "Paused");
const job = `${sync}/jobs/${made.id}`;
assert.equal(await graph.api(`${sync}/jobs/$count`).get(), "1");
await graph.api(`${job}/validateCredentials`).post({ useSavedCredentials: true, credentials: [] });
told("job");

const schema = await graph.api(`${job}/schema`).get();
await graph.api(`${job}/schema`).put(schema);
assert.deepEqual(await graph.api(`${job}/schema`).get(), schema);
assert.ok((await graph.api(`${job}/schema/filterOperators`).get()).value.length > 0);
assert.ok((await graph.api(`${job}/schema/functions`).get()).value.length > 0);
const parsed = await graph.api(`${job}/schema/parseExpression`).post({ expression: "Trim([mail])" });
assert.equal(parsed.parsingSucceeded, true);
told("schema");

const look = () => graph.api(job).select("id,status").get();
const steadied = (one) => one.status.steadyStateLastAchievedTime;
assert.equal(await graph.api(`${job}/start`).post(), undefined); // with no body, and a content type all the same
let seen = await until(look, (one) => !steadied(one).startsWith("0001"));
assert.equal(seen.status.code, "Active");
assert.equal(await graph.api(`${job}/pause`).post({}), undefined);
assert.equal((await graph.api(job).get()).schedule.state, "Disabled");
const before = steadied(seen);
await graph.api(`${job}/restart`).post({ criteria: { resetScope: "Watermark, Escrows" } });
await until(look, (one) => steadied(one) > before);
const wrong = await refused(
  graph.api(`${job}/restart`).post({ criteria: { resetScope: "Everything" } }),
);
assert.equal(wrong.statusCode, 400);
assert.ok(wrong.requestId);
told("cycles");

const rule = schema.synchronizationRules[0].id;
const answer = await graph.api(`${job}/provisionOnDemand`).post({
  parameters: [{ ruleId: rule, subjects: [{ objectId: "ada", objectTypeName: "User" }] }],
});
assert.ok(["Success", "Skipped"].includes(JSON.parse(answer.key).result), answer.key);
const connection = await graph.api(`${job}/objectConnections('ada')`).get();
assert.equal(connection.sourceAnchor, "ada");
told("on demand");

const log = () =>
  graph.api("/auditLogs/provisioning").filter(`jobId eq '${made.id}'`).orderby("activityDateTime desc");
const ids = [];
let page = await log().top(1).get();
if (root.startsWith("https:")) {
  const iterator = new PageIterator(graph, page, (one) => ids.push(one.id));
  await iterator.iterate();
} else {
  // It finds the version in links over https alone, so that others go on by hand.
  for (;;) {
    ids.push(...page.value.map((one) => one.id));
    const next = page["@odata.nextLink"];
    if (!next) break;
    page = await graph.api(next.replace(`${root}/${version}`, "")).get();
  }
}
assert.ok(ids.length > 2);
assert.equal(new Set(ids).size, ids.length);
told("logs");

const inbound = await principal(`Uploaded by JavaScript ${version}`);
await graph.api(`${inbound}/secrets`).put({ value: credentials });
const upload = await graph.api(`${inbound}/jobs`).post({ templateId: "API2SCIM" });
const user = { schemas: [CORE], externalId: `js-${version}`, userName: `js-${version}@example.com`, active: true };
const operation = { method: "POST", bulkId: "one", path: "/Users", data: user };
await graph
  .api(`${inbound}/jobs/${upload.id}/bulkUpload`)
  .header("Content-Type", "application/scim+json")
  .post({ schemas: [BULK], Operations: [operation], failOnErrors: null });
told("upload");

assert.equal(await graph.api(job).delete(), undefined);
const missing = await refused(graph.api(job).get());
assert.equal(missing.statusCode, 404);
assert.equal(missing.code, "ResourceNotFound");
const denied = await refused(connected("not-a-token").api(job).get());
assert.equal(denied.code, "InvalidAuthenticationToken");
told("deleted");
