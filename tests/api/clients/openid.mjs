// An OpenID provider that is not ours (oidc-provider, certified), with forms for people to sign in at.
//
//   node openid.mjs PACKAGES
//
// PACKAGES is the folder of the installed packages. Says where it listens, obeys line by line, and ends with its
// standard input. `open` says which client there is; until then nobody is answered.

import { createServer } from "node:http";
import { createInterface } from "node:readline";

const { Provider } = await import(`${process.argv[2]}/node_modules/oidc-provider/lib/index.js`);
const groups = { ada: ["administrators", "staff"], bob: ["readers"], cyd: ["staff"] };
let answer = (_, response) => response.writeHead(503).end();

function provider({ redirect, leaving, inIdToken }) {
  const made = new Provider(issuer, {
    clients: [{
      client_id: "provisor",
      client_secret: "a secret + of the client",
      redirect_uris: [redirect],
      post_logout_redirect_uris: [leaving],
    }],
    conformIdTokenClaims: !inIdToken,
    claims: { openid: ["sub"], profile: ["preferred_username"], groups: ["groups"] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: `${id}@example.com`, groups: groups[id] ?? [] }),
    }),
  });
  made.on("server_error", (_, error) => process.stderr.write(`${error.stack}\n`));
  return made.callback();
}

const server = createServer((request, response) => answer(request, response));
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const said = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
console.warn = console.info = () => {};
said({ url: issuer });
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (asked.do === "open") answer = provider(asked);
  said({});
}
process.exit(0);
