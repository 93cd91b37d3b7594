"""What ends a cycle or holds a whole job."""

from __future__ import annotations

from provisor.graph.troubleshooting.trouble import Category, Concerns, Retried, Trouble


def _trouble(
    code: str,
    meaning: str,
    advice: str,
    *steps: str,
    look: str = "",
    retried: Retried = Retried.AS_A_JOB,
    category: Category = Category.NON_SERVICE_FAILURE,
) -> Trouble:
    return Trouble(
        code=code,
        meaning=meaning,
        advice=advice,
        steps=steps,
        look=look,
        concerns=Concerns.JOB,
        retried=retried,
        category=category,
    )


FAILED = (
    "`provisor logs JOB --status failure` lists what failed, each with its code and reason; the "
    "troubleshooting page of the code that most of them have is the one to read."
)
STAGED = (
    "`provisor plan JOB` lists what is staged, with the hash that an approval names. In the log "
    "these objects have the action stagedDelete."
)

CONNECTIONS = (
    _trouble(
        "InvalidCredentials",
        "The target does not accept the credentials: they are wrong, expired or revoked.",
        "Save new credentials, then start the job.",
        "A token that is read from a file or the environment is read anew at each cycle.",
        "Look when it expires, and who may renew it before that.",
    ),
    _trouble(
        "SystemForCrossDomainIdentityManagementInvalidCredentials",
        "The SCIM service does not accept the token or the other credentials, or none were given.",
        "Give the connection a valid tenant URL and token, then start the job.",
        "A token that is read from a file or the environment is read anew at each cycle.",
        "If the URL is right, a request with the token to `/ServiceProviderConfig` must succeed.",
    ),
    _trouble(
        "InsufficientPermissions",
        "The credentials are valid, but may not do what the job needs in the target.",
        "Give the account that provisions the rights to read and write users and groups.",
        "See in the target's own log which right was asked for, then start the job.",
    ),
    _trouble(
        "TargetUnreachable",
        "No connection to the target can be made: its name, its certificate or its port is the "
        "reason.",
        "Check name, port and certificate from the machine that Provisor runs on.",
        "Nothing was lost: the next cycle goes on where this one stopped.",
        "The third failure in a row puts the job into quarantine.",
        "A certificate of your own authority has to be named in the connection's settings.",
    ),
    _trouble(
        "SourceUnavailable",
        "The source cannot be reached or opened.",
        "Check path, address and rights of the source connection.",
        "Nothing was lost, and nobody counts as gone.",
        "The third failure in a row puts the job into quarantine.",
    ),
    _trouble(
        "SourceNotConfigured",
        "The job has no source to read from.",
        "Give its application a source connection, then start the job.",
        "With only one source connection in the workspace, that one is taken.",
    ),
    _trouble(
        "AddressNotAllowed",
        "The address of the target, or of its token endpoint, was given through the API and leads "
        "to this machine or into a network of its own: loopback, link-local, private, or where a "
        "cloud tells its machines their secrets. Nothing was sent.",
        "If the address is meant, list its name, address or network in `tenant.allowedTargets` of "
        "`provisor.yaml`, or write the connection there, and run `provisor apply`.",
        "If it is not, give another one: whoever may use the API may have tried to reach what they "
        "cannot reach themselves.",
    ),
    _trouble(
        "SystemChanged",
        "Source or target is another system than the one this job has worked with: another "
        "address, search base, database or table. Ids of one system are never sent to another.",
        "If the connection is wrong, correct it; if the system only moved, run with "
        "`--same-system`.",
        "If it really is another system, restart the job with scope Full: everything is matched "
        "anew.",
        retried=Retried.BY_NOBODY,
    ),
)

READS = (
    _trouble(
        "SourceReadIncomplete",
        "The source was not read to its end, or the read contradicts itself. What was read is "
        "used, but nobody counts as gone because of it.",
        "Read the message: it names file and line, or the count that does not agree; then run "
        "again.",
        "A file that is written while it is read is the most frequent reason: write it under "
        "another name, and rename it when it is complete.",
        "A missing final line break, a wrong number of fields and a wrong encoding all say that "
        "a file is not whole.",
    ),
    _trouble(
        "SourceEmpty",
        "The source shows none of a kind of object where there were some before. Nobody was "
        "removed.",
        "Find out why it is empty; only if that is right, approve it with `provisor approve`.",
        "A permission that was lost looks exactly like this.",
    ),
    _trouble(
        "SourceShrank",
        "The source has become much smaller, and does not vouch for it. Nobody was removed.",
        "Compare it with the day before; only if it is right, approve it with `provisor approve`.",
        "A manifest beside the file, with its number of rows or its SHA-256, vouches for it.",
    ),
    _trouble(
        "SourceReplaced",
        "Most of those who were there are missing, and others whom nobody knew are there instead. "
        "Nobody was removed, and none of the others was created.",
        "Look whether ids have changed, or stand under the heading of another column: a "
        "spreadsheet drops leading zeros.",
        "Put the source right, and run again: nothing has happened.",
        "Only if they really are other people, or their ids have changed for good, approve it with "
        "`provisor approve`.",
    ),
    _trouble(
        "ReadContradicted",
        "Objects that a complete read did not show are there when asked for one by one, so the "
        "read cannot be believed.",
        "Run again; if it recurs, the source leaves people out of its lists.",
        "Let the source be read in an order that does not change while it is read.",
        "Search bases, filters and rights can hide people from a list but not from a look-up.",
    ),
    _trouble(
        "WatermarkExpired",
        "The source no longer knows how far it was read the last time.",
        "Nothing is to be done: everything is read once more.",
        "Run the job more often than the source forgets.",
    ),
    _trouble(
        "IngestionInterrupted",
        "The source failed three times in a row.",
        "See the error of the quarantine for the reason, and correct it.",
        "`provisor start` tries at once.",
    ),
)

HELD = (
    _trouble(
        "TooManyDeletes",
        "So many people or members would be disabled, deleted or removed at once that it looks "
        "like an accident. None of them was; everything else went on.",
        "Look at what is staged, in the console or with `provisor plan`; approve it, or correct "
        "the source.",
        "`provisor approve JOB HASH` lets exactly those go that are staged, once.",
        "Whoever comes back into scope is no longer staged, without anybody's doing.",
        "A lost filter, a shortened file and a removed assignment are the frequent reasons.",
        "`guards:` in the configuration says what counts as too many.",
        look=STAGED,
        retried=Retried.BY_NOBODY,
    ),
    _trouble(
        "EncounteredEscrowProportionThreshold",
        "Most of what is provisioned fails, and it is more than a few objects.",
        "See which code most objects failed with: it is mostly one reason for all.",
        "Correct it, then `provisor restart JOB --scope Escrows,QuarantineState`.",
        look=FAILED,
    ),
    _trouble(
        "EncounteredBaseEscrowThreshold",
        "More objects have failed than a job may hold, references not counted.",
        "See which code most objects failed with: it is mostly one reason for all.",
        "Correct it, then `provisor restart JOB --scope Escrows,QuarantineState`.",
        look=FAILED,
    ),
    _trouble(
        "EncounteredTotalEscrowThreshold",
        "More objects and references have failed than a job may hold.",
        "See which code most of them failed with: it is mostly one reason for all.",
        "Correct it, then `provisor restart JOB --scope Escrows,QuarantineState`.",
        look=FAILED,
    ),
    _trouble(
        "EncounteredQuarantineException",
        "The job as a whole failed; the error of the quarantine says with what.",
        "Follow the page of that error.",
        "`provisor start` tries at once.",
    ),
    _trouble(
        "QuarantinedOnDemand",
        "Somebody put this job into quarantine.",
        "Ask who did and why; the audit log has the name.",
        "`provisor start` lifts it.",
    ),
    _trouble(
        "Unknown",
        "The job is in quarantine for a reason that has no name.",
        "Look at the last cycle's error and at the log of the service.",
        "`provisor start` tries at once.",
        category=Category.FAILURE,
    ),
)

OURS = (
    _trouble(
        "CycleInterrupted",
        "A cycle did not come to its end: the job was paused or restarted meanwhile, the server "
        "was stopped, or the process died. What it had done is known; what it had sent without an "
        "answer is looked up before anything is sent again.",
        "Nothing is to be done: the next cycle goes on from there.",
        "If it recurs and nobody stopped anything, see in the system's log what ends the process: "
        "memory, a restart, a limit.",
        category=Category.FAILURE,
    ),
    _trouble(
        "StoreFailed",
        "Nothing can be remembered: the disk is full or failed. Nothing more was sent.",
        "Make room on the disk that holds the workspace, then run again.",
        "Check the file system if there is room.",
        category=Category.FAILURE,
    ),
    _trouble(
        "StoreTooNew",
        "A newer Provisor has written this store, or has brought it up to date while this one was "
        "at work. This one changed nothing since.",
        "Install the newer version, and start again what has ended; or restore a backup that was "
        "made before it was used.",
        category=Category.FAILURE,
    ),
    _trouble(
        "StoreTooOld",
        "An older Provisor has written this store, and it may still be at work on it: nothing is "
        "done to the tables while that may be so. Nothing was changed.",
        "End every process that works on the store (provisor serve, worker, run), on each machine.",
        "Make a backup, then give the command again: provisor store migrate brings a store on "
        "PostgreSQL up to date, and any command a file.",
        category=Category.FAILURE,
    ),
    _trouble(
        "KeyUnusable",
        "The workspace's key is missing, may be read by others, or is not the one that a secret "
        "was sealed with.",
        "Put the key file back beside provisor.yaml, readable by its owner alone, or set "
        "PROVISOR_KEY.",
        "If the key is lost, make a new one with provisor init and enter the secrets again.",
        category=Category.FAILURE,
    ),
    _trouble(
        "ConnectorUnusable",
        "There is no connector of this name here, or the package that brings it is broken.",
        "Install the package that brings the connector where Provisor runs, or correct its name.",
        "If it is installed, update it, or ask its maker: the message says what is wrong with it.",
        category=Category.FAILURE,
    ),
    _trouble(
        "ConnectorClash",
        "Several packages bring a connector of this name, or one brings what is built in already. "
        "What is built in is never replaced.",
        "Uninstall all packages but one that bring it; the message names them.",
        category=Category.FAILURE,
    ),
    _trouble(
        "JobUnknown",
        "There is no such job in the store: it was deleted, or never applied.",
        "List the jobs with provisor status; provisor apply creates those of provisor.yaml.",
        category=Category.FAILURE,
    ),
    _trouble(
        "PlanUnreadable",
        "The file is no saved plan, was changed since, or was sealed in another workspace.",
        "Make a new plan with provisor plan JOB --out FILE.",
        category=Category.FAILURE,
    ),
    _trouble(
        "SourceObjectNotFound",
        "The object asked for is not in the source: on demand a failure, never a departure.",
        "Look for its anchor in the source; provisor explain tells what is remembered of it.",
        category=Category.FAILURE,
    ),
    _trouble(
        "Fenced",
        "Another process has taken this job over. This one stopped, and wrote nothing more.",
        "Nothing is to be done: the other process has the job.",
        "If nobody should have, see which machines share the store.",
        category=Category.FAILURE,
    ),
)

JOBS = CONNECTIONS + READS + HELD + OURS
