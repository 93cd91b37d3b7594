"""What goes wrong with single objects: each waits in escrow while all others go on."""

from __future__ import annotations

from provisor.graph.troubleshooting.trouble import Category, Concerns, Retried, Trouble

REFUSED_BY_TARGET = (
    Trouble(
        code="Conflict",
        meaning="The target says that the object was changed by somebody else in the meantime, or "
        "that it contradicts another one.",
        advice="Look at the object in the target; if it is as it should be, wait for the retry.",
        steps=(
            "Compare the object on both sides with `provisor explain`.",
            "Find out whether another tool writes to the same objects, and agree on one of them.",
        ),
    ),
    Trouble(
        code="EntryConflict",
        meaning="The target already has another object with a value that must be unique, such as "
        "the user name, and matching did not find that object.",
        advice="Find the object that has the value in the target, and rename, remove or match it.",
        steps=(
            (
                "If it is the same person's account, give the attribute that both sides have in "
                "common a matchingPriority."
            ),
            "If it is somebody else's account, change the value in the source or in the target.",
            "Look for the value among deleted or suspended accounts: many targets keep it taken.",
        ),
    ),
    Trouble(
        code="InsufficientRights",
        meaning="The credentials are valid, but the target does not let them do this to this "
        "object.",
        advice="Give the account that provisions the missing right in the target.",
        steps=(
            "Owners of an application are often protected: a scoping filter may exclude them.",
            "Check in the target's own log which right was asked for.",
        ),
    ),
    Trouble(
        code="Unauthorized",
        meaning="The target did not accept the credentials for this one request, although it "
        "accepts them otherwise.",
        advice="Check in the target what the account that provisions may do.",
        steps=("Renew the token, and test the connection.",),
    ),
    Trouble(
        code="MethodNotAllowed",
        meaning="The target does not offer this operation for this kind of object.",
        advice="Switch the flow off in the object mapping: take Add, Update or Delete out of its "
        "flowTypes.",
        steps=("Check that the address is the base of the service, not a page below it.",),
    ),
    Trouble(
        code="NotPermitted",
        meaning="The target does not let this attribute be changed any more.",
        advice='Set the flowType of its mapping to "ObjectAddOnly", so that it is only written at '
        "creation.",
        steps=("Or set the attribute's mutability to Immutable in the target directory.",),
    ),
    Trouble(
        code="UnprocessableEntity",
        meaning="The target understood the request and refuses a value in it.",
        advice="Read the reason: it quotes the target; correct the value in the source or by an "
        "expression.",
        steps=(
            "See what was sent under the modified properties of the log record.",
            "If the target limits length or form, rewrite the value with Left, Replace or Switch.",
        ),
    ),
    Trouble(
        code="SchemaAttributeNotFound",
        meaning="The target does not know an attribute that is mapped.",
        advice="Remove the mapping, or have the attribute added in the target.",
        steps=(
            "Compare the spelling with the target's own schema: `provisor schema show` has ours.",
            "An attribute of an extension is written with the whole URN before its name.",
        ),
    ),
    Trouble(
        code="InvalidDomain",
        meaning="A value, mostly the user name or an e-mail address, uses a domain that the "
        "target does not accept.",
        advice="Register the domain in the target, or map the value to one that is registered.",
        steps=("Exclude people of other domains by a scoping filter (ENDS_WITH).",),
    ),
    Trouble(
        code="LicenseLimitExceeded",
        meaning="The target has no licence left for another account.",
        advice="Free or buy licences in the target.",
        steps=("Narrow the assignments or the scoping filter to those who need the application.",),
    ),
    Trouble(
        code="NotImplemented",
        meaning="The target says that it does not have this feature.",
        advice="Switch off what needs it: a flow of the object mapping, or an attribute mapping.",
        steps=("Check which version of the protocol the target speaks.",),
    ),
    Trouble(
        code="InvalidAnchor",
        meaning="The account that was linked to this object no longer exists in the target: "
        "somebody removed it there.",
        advice="Decide whether the account should come back; if so, restart the job with scope "
        "Full, or set relinkMissing.",
        steps=(
            "If it was removed on purpose, unassign the person, or exclude them by a filter.",
            "With `relinkMissing: true` such objects are matched and created again by themselves.",
        ),
    ),
)

NOT_ANSWERED = (
    Trouble(
        code="TooManyRequests",
        meaning="The target asked for fewer requests, and for more patience than one cycle has.",
        advice="Wait: the object is tried again; set a rate limit on the connection if it recurs.",
        steps=("Ask whether another client uses up the target's quota.",),
        retried=Retried.NEXT_CYCLE,
    ),
    Trouble(
        code="InternalServerError",
        meaning="The target failed while it worked on this object (HTTP 5xx).",
        advice="Wait: the object is tried again; report it to the target's support if it recurs.",
        steps=(
            "The record's additional details have the request id the target needs to find it.",
            "If it concerns always the same people, look for an unusual value in their data.",
        ),
        retried=Retried.NEXT_CYCLE,
    ),
    Trouble(
        code="WebExceptionProtocolError",
        meaning="The connection broke while the object was on its way; nobody knows whether the "
        "target has it.",
        advice="Wait: the target is asked for the object before anything is sent again.",
        steps=("Check proxies and load balancers between here and the target.",),
        retried=Retried.NEXT_CYCLE,
    ),
    Trouble(
        code="Timeout",
        meaning="The target did not answer in time; nobody knows whether it did what it was asked.",
        advice="Wait: the target is asked for the object before anything is sent again, so that "
        "nothing is created twice.",
        steps=("Raise the connection's request timeout if the target is always slow.",),
        retried=Retried.NEXT_CYCLE,
    ),
    Trouble(
        code="InternalError",
        meaning="Provisor itself failed with this object. That is a defect.",
        advice="Report it, with the record of the log and the lines of the service's own log.",
        steps=("The object is tried again; all others go on.",),
        retried=Retried.NEXT_CYCLE,
        category=Category.FAILURE,
    ),
)

NOT_CLEAR = (
    Trouble(
        code="SourceRowInvalid",
        meaning="A row of the source cannot be read: it has no id, an id that another row has, or "
        "not as many fields as the header. Until it is corrected nobody of its kind counts as "
        "gone.",
        advice="Correct the row: the reason names file and line.",
        steps=("If all rows look alike, the delimiter or the encoding is set wrongly.",),
        retried=Retried.NEXT_CYCLE,
    ),
    Trouble(
        code="DuplicateTargetEntries",
        meaning="Several objects in the target have the value by which this one is matched.",
        advice="Leave only one of them, or match by an attribute that is unique.",
        steps=(
            "The reason names the objects; look which of them people really use.",
            "Then remove the others, or change their value.",
        ),
    ),
    Trouble(
        code="DuplicateSourceEntries",
        meaning="Two objects of the source want the same account: it is already linked to the "
        "other one.",
        advice="Give one of the two another value of the matching attribute in the source.",
        steps=(
            "If it is one person twice, remove one of the records, or unassign it.",
            "If a person changed records, let the old one leave the source first.",
        ),
    ),
    Trouble(
        code="ObjectNotFound",
        meaning="The source has no object with this id, asked for on demand.",
        advice="Check the id: it is the one the source uses, not the user name.",
        steps=("Nothing was done to any account: not to be found is not to be deleted.",),
        retried=Retried.NOT_NEEDED,
    ),
    Trouble(
        code="MandatoryFieldsMissing",
        meaning="The target needs a value that this object does not have.",
        advice="Fill the attribute in the source, or give its mapping a default value.",
        steps=("Coalesce takes the first of several attributes that has a value.",),
    ),
    Trouble(
        code="MissingValues",
        meaning="A required attribute came out empty.",
        advice="Fill the attribute in the source, or give its mapping a default value.",
        steps=("See with `provisor explain` from which attributes it is made.",),
    ),
    Trouble(
        code="SchemaPropertyCanOnlyAcceptValue",
        meaning="Several values would go into an attribute that takes one.",
        advice="Choose one of them with Item or Join, or set multivalued on the target attribute.",
        steps=("Count shows how many values there are.",),
    ),
    Trouble(
        code="ExpressionEvaluationError",
        meaning="An expression cannot be worked out for this object: a date that is none, an "
        "index beyond the end, a text that is no number.",
        advice="Correct the value in the source, or let the expression expect it.",
        steps=(
            "Try it with `provisor eval 'EXPRESSION' --attributes FILE --trace`.",
            "IIF and Coalesce let an expression go another way where a value is missing.",
        ),
    ),
    Trouble(
        code="InvalidExpression",
        meaning="An expression that is stored cannot be understood.",
        advice="Check the schema with `provisor schema check`; it says where and why.",
        steps=("Compare it with the list of functions.",),
    ),
    Trouble(
        code="UniqueValueExhausted",
        meaning="Each value that SelectUniqueValue could choose is taken in the target.",
        advice="Add further candidates to SelectUniqueValue, such as one with a number.",
        steps=("Free the values that former accounts still hold in the target.",),
    ),
    Trouble(
        code="UnableToResolveReferenceAttributeValue",
        meaning="The object itself is fine, but the target does not accept one that it refers to: "
        "a manager or a member.",
        advice="Look at the object referred to: it may be missing in the target.",
        steps=(
            "See its own record in the log, and settle that first.",
            "The reference follows by itself once the other object is linked.",
        ),
        concerns=Concerns.REFERENCE,
    ),
    Trouble(
        code="SystemForCrossDomainIdentityManagementMultipleEntriesInResponse",
        meaning="Asked for one resource, the SCIM service answered with several.",
        advice="Report it to those who run the target: its answer contradicts the protocol.",
        steps=("The record's additional details hold the answer.",),
    ),
    Trouble(
        code="SystemForCrossDomainIdentityManagementServiceIncompatible",
        meaning="The answer of the target is not what SCIM 2.0 says it should be.",
        advice="Check that the tenant URL is the base of a SCIM 2.0 service.",
        steps=(
            "A page of HTML in place of JSON mostly means a wrong address or a login page.",
            (
                "A filter that is ignored would create people twice: the target has to support "
                "`eq` on the matching attribute."
            ),
            "Compare with the profile chosen for the connection.",
        ),
    ),
)

OBJECTS = REFUSED_BY_TARGET + NOT_ANSWERED + NOT_CLEAR
