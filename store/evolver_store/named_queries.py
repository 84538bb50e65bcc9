"""Ten questions that users ask of a lineage, as SQL that reads the same on SQLite and PostgreSQL.

Each takes ``:run``, the id of a run. They rest on the public tables alone, so each can be copied, changed and given
to ``evolve sql``.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from evolver_store.errors import UnknownQueryError


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query by name; ``question`` is what it answers, in a user's words."""

    name: str
    question: str
    sql: str


def named_query(name: str) -> NamedQuery:
    """Return the query of that name.

    Raises:
        UnknownQueryError: There is none; the message names those there are.
    """
    for query in NAMED_QUERIES:
        if query.name == name:
            return query
    names = [query.name for query in NAMED_QUERIES]
    near = get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UnknownQueryError(
        f"no query is named {name!r}; nothing was read.{hint} There are {', '.join(names)}."
    )


NAMED_QUERIES = (
    NamedQuery(
        "deepest-families",
        "Which seeds evolved the furthest, and where did they end?",
        """\
SELECT seed.id AS seed_id, far.survivors, far.newest_id, substr(seed.instruction, 1, 80) AS seed,
       substr(newest.instruction, 1, 80) AS newest
FROM (
    SELECT root_id, COUNT(*) AS survivors, MAX(id) AS newest_id
    FROM instructions
    WHERE run_id = :run AND status = 'survivor'
    GROUP BY root_id
) far
JOIN instructions seed ON seed.id = far.root_id
JOIN instructions newest ON newest.id = far.newest_id
ORDER BY far.survivors DESC, seed.id
LIMIT 20""",
    ),
    NamedQuery(
        "stuck-seeds",
        "Which seeds never evolved, whatever was tried, and what killed their children?",
        """\
SELECT seed.id AS seed_id, stuck.attempts, last.id AS an_id, last.rule AS a_rule, last.reason AS a_reason,
       substr(seed.instruction, 1, 80) AS seed
FROM (
    SELECT root_id, COUNT(*) AS attempts, MAX(id) AS last_id
    FROM instructions
    WHERE run_id = :run AND epoch > 0
    GROUP BY root_id
    HAVING SUM(CASE WHEN status = 'survivor' THEN 1 ELSE 0 END) = 0
) stuck
JOIN instructions seed ON seed.id = stuck.root_id
JOIN instructions last ON last.id = stuck.last_id
ORDER BY stuck.attempts DESC, seed.id
LIMIT 50""",
    ),
    NamedQuery(
        "deaths-by-rule",
        "What do attempts die of, how often, and what does a death look like?",
        """\
SELECT dead.rule, dead.status, dead.deaths,
       ROUND(100.0 * dead.deaths / (SELECT COUNT(*) FROM instructions WHERE run_id = :run AND epoch > 0), 2)
           AS percent_of_attempts,
       one.id AS an_id, one.reason AS a_reason
FROM (
    SELECT rule, status, COUNT(*) AS deaths, MIN(id) AS first_id
    FROM instructions
    WHERE run_id = :run AND status IN ('eliminated', 'failed')
    GROUP BY rule, status
) dead
JOIN instructions one ON one.id = dead.first_id
ORDER BY dead.deaths DESC, dead.rule""",
    ),
    NamedQuery(
        "mutator-yield",
        "Which mutator gives the most survivors, how much do they grow, and what does one cost?",
        """\
SELECT child.mutator, COUNT(*) AS attempts,
       SUM(CASE WHEN child.status = 'survivor' THEN 1 ELSE 0 END) AS survivors,
       ROUND(100.0 * SUM(CASE WHEN child.status = 'survivor' THEN 1 ELSE 0 END) / COUNT(*), 1) AS percent,
       ROUND(AVG(CASE WHEN child.status = 'survivor'
                      THEN 1.0 * (length(child.instruction) - length(parent.instruction)) END), 1)
           AS mean_growth_characters,
       ROUND(CAST(SUM(child.cost_usd) AS NUMERIC)
             / NULLIF(SUM(CASE WHEN child.status = 'survivor' THEN 1 ELSE 0 END), 0), 6) AS usd_per_survivor
FROM instructions child
JOIN instructions parent ON parent.id = child.parent_id
WHERE child.run_id = :run
GROUP BY child.mutator
ORDER BY percent DESC, child.mutator""",
    ),
    NamedQuery(
        "mutator-pairs",
        "Which mutator fares well after which?",
        """\
SELECT parent.mutator AS first_mutator, child.mutator AS second_mutator, COUNT(*) AS attempts,
       ROUND(100.0 * SUM(CASE WHEN child.status = 'survivor' THEN 1 ELSE 0 END) / COUNT(*), 1)
           AS percent_surviving
FROM instructions child
JOIN instructions parent ON parent.id = child.parent_id
WHERE child.run_id = :run AND parent.status = 'survivor'
GROUP BY parent.mutator, child.mutator
ORDER BY percent_surviving DESC, first_mutator, second_mutator""",
    ),
    NamedQuery(
        "second-chances",
        "Is it worth evolving an instruction again after its children died?",
        """\
SELECT tried.failures_before, COUNT(*) AS attempts,
       SUM(CASE WHEN tried.status = 'survivor' THEN 1 ELSE 0 END) AS survivors,
       ROUND(100.0 * SUM(CASE WHEN tried.status = 'survivor' THEN 1 ELSE 0 END) / COUNT(*), 1)
           AS percent_surviving
FROM (
    SELECT child.status,
           ROW_NUMBER() OVER (PARTITION BY child.parent_id ORDER BY child.id) - 1 AS failures_before
    FROM instructions child
    WHERE child.run_id = :run AND child.epoch > 0
) tried
GROUP BY tried.failures_before
ORDER BY tried.failures_before""",
    ),
    NamedQuery(
        "judge-says-equal",
        "Which pairs did the judge call equal? Read some: is it too strict?",
        """\
SELECT child.id, child.epoch, child.mutator, parent.instruction AS parent, child.instruction AS child,
       child.reason
FROM instructions child
JOIN instructions parent ON parent.id = child.parent_id
WHERE child.run_id = :run AND child.rule = 'no_information_gain' AND child.reason LIKE 'the judge says%'
ORDER BY child.id
LIMIT 20""",
    ),
    NamedQuery(
        "biggest-growth",
        "Which survivors are the longest beside their seed?",
        """\
SELECT child.id, child.epoch, length(seed.instruction) AS seed_characters,
       length(child.instruction) AS characters,
       ROUND(1.0 * length(child.instruction) / length(seed.instruction), 1) AS times,
       substr(seed.instruction, 1, 80) AS seed
FROM instructions child
JOIN instructions seed ON seed.id = child.root_id
WHERE child.run_id = :run AND child.status = 'survivor' AND length(seed.instruction) > 0
ORDER BY times DESC, child.id
LIMIT 20""",
    ),
    NamedQuery(
        "same-text",
        "Which texts came out more than once, so that a merge would want --dedup?",
        """\
SELECT COUNT(*) AS times, COUNT(DISTINCT root_id) AS families, MIN(id) AS first_id, MAX(id) AS last_id,
       substr(instruction, 1, 80) AS instruction
FROM instructions
WHERE run_id = :run AND status IN ('seed', 'survivor')
GROUP BY instruction
HAVING COUNT(*) > 1
ORDER BY times DESC, first_id
LIMIT 50""",
    ),
    NamedQuery(
        "dearest-families",
        "Which seeds took the most tokens and money, and what came of it?",
        """\
SELECT child.root_id AS seed_id, SUM(child.prompt_tokens + child.completion_tokens) AS tokens,
       ROUND(CAST(SUM(child.cost_usd) AS NUMERIC), 6) AS cost_usd,
       SUM(CASE WHEN child.status = 'survivor' THEN 1 ELSE 0 END) AS survivors,
       (SELECT substr(seed.instruction, 1, 80) FROM instructions seed WHERE seed.id = child.root_id) AS seed
FROM instructions child
WHERE child.run_id = :run AND child.epoch > 0
GROUP BY child.root_id
ORDER BY tokens DESC, seed_id
LIMIT 20""",
    ),
)
