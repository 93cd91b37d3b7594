"""Why nothing was done about an object. None of these is a failure."""

from __future__ import annotations

from provisor.graph.troubleshooting.trouble import Category, Concerns, Retried, Trouble


def _skip(code: str, meaning: str, advice: str, *steps: str) -> Trouble:
    return Trouble(
        code=code,
        meaning=meaning,
        advice=advice,
        steps=steps,
        concerns=Concerns.NOTHING,
        retried=Retried.NOT_NEEDED,
        category=Category.SUCCESS,
    )


SKIPS = (
    _skip(
        "NotEffectivelyEntitled",
        "The object is not to have an account: it is not assigned, the scoping filter leaves it "
        "out, or it is disabled or deleted in the source.",
        "If it should have one, see with `provisor explain` which of these it is.",
        "The record says which clause of the filter decided.",
    ),
    _skip(
        "RedundantExport",
        "Source and target already agree, so nothing was sent.",
        "Nothing is to be done.",
        "A difference in upper and lower case counts only where caseExact is set.",
    ),
    _skip(
        "PerpetualPatch",
        "The target does not show a value as it was told: it rewrites it, or drops it. What it "
        "would rewrite or drop again is not sent again until the source says something else.",
        "See with `provisor explain` which attributes differ, and let their mapping say what the "
        "target makes of them, or take them out of the mapping.",
        "Where the target does not tell what it made of a value, it was sent three times.",
        "Or drift was accepted: on the job's page Drift in the console it is re-asserted.",
    ),
    _skip(
        "ImportSkipped",
        "The object has no value for any matching attribute, so that nobody could tell whether "
        "it has an account already.",
        "Fill the matching attribute in the source.",
        "Or add a second matching attribute, with the next matchingPriority.",
    ),
    _skip(
        "EntrySynchronizationSkipped",
        "The object is none of this mapping's: a filter keeps it out before it is processed, or "
        "there was nothing to do. An account that it has stays as it is.",
        "If that is not intended, look at inputFilterGroups and categoryFilterGroups.",
    ),
    _skip(
        "IgnoreObjectFlow",
        "An expression asked to leave the object alone in this cycle.",
        "If that is not intended, look for IgnoreObjectFlow in the mapping.",
    ),
    _skip(
        "AddFlowDisabled",
        "The object should be created, but the mapping lets no objects be created.",
        "If it should, put Add into flowTypes of the object mapping.",
    ),
    _skip(
        "UpdateFlowDisabled",
        "The object differs, but the mapping lets nothing be changed; disabling is a change, too.",
        "If it should, put Update into flowTypes of the object mapping.",
    ),
    _skip(
        "DeleteFlowDisabled",
        "The object should be deleted, but the mapping lets nothing be deleted. The account is "
        "no longer looked after.",
        "If it should be deleted, put Delete into flowTypes of the object mapping.",
    ),
    _skip(
        "OutOfScopeDeletionSkipped",
        "The object left the scope, and SkipOutOfScopeDeletions keeps its account as it is. It "
        "is no longer looked after.",
        "If such accounts should be disabled, set SkipOutOfScopeDeletions to False.",
    ),
    _skip(
        "AlreadyGone",
        "The account was to leave, and is no longer in the target. The link was dropped.",
        "Nothing is to be done.",
    ),
    Trouble(
        code="Drift",
        meaning="Somebody else changed the account in the target since it was last looked at.",
        advice="If the change was right, make it in the source; if not, nothing is to be done.",
        steps=(
            "A reconcile puts back what the rules say, unless the job has `drift: report`.",
            "What stands is accepted or re-asserted on the job's page Drift in the console.",
            "Members whom others took out of a group are put there again.",
            "Those whom others put there stay until somebody takes them out in the target.",
            "If another tool writes the attribute on purpose, take it out of the mapping.",
        ),
        concerns=Concerns.NOTHING,
        retried=Retried.NOT_NEEDED,
    ),
    Trouble(
        code="StagedDelete",
        meaning="The account was to leave together with so many others that all of them are held "
        "until somebody has looked.",
        advice="Look at what is staged, in the console or with `provisor plan`; approve it, or "
        "correct the source.",
        steps=("See TooManyDeletes for what to do about all of them.",),
        retried=Retried.BY_NOBODY,
        category=Category.NON_SERVICE_FAILURE,
    ),
)
