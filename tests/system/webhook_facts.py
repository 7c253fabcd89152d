"""Deliveries of which each has a consequence that can be counted, in the database afterwards; for webhooks.py.

They come in groups of eight, of which each is about objects of its own: two contexts of a commit of which two states are told
each, a push, a pull request that is opened, then merged, a work item that is to be analysed. `plan` has all of them in no order.
"""
import collections
import hashlib
import json
import random
import sqlite3
import uuid

PROJECT = {"repository": {"full_name": "acme/app"}, "tracker": "4af68566-94a4-4eb3-94aa-50dc9427067b"}
TASK, FIRST_ITEM = "HELLO-1", 1000
GROUP = 8

# What is sent, and the key by which it is on record; Plane's has none of its own.
Delivery = collections.namedtuple("Delivery", "source event body key")


def commit(tag, group):
    return hashlib.sha1(f"{tag}-{group}".encode()).hexdigest()


def at(second):
    return f"2026-07-01T10:{second // 60:02}:{second % 60:02}Z"


def status(tag, group, head, n):
    context, late = divmod(n, 2)
    word = ("pending", ("success", "failure")[context])[late]
    return "status", {"sha": head, "context": f"ci/{tag}-{group}-{context}", "state": word, "id": GROUP * group + n + 1,
                      "description": "", "updated_at": at(late), "repository": PROJECT["repository"]}


def push(tag, group):
    return "push", {"ref": f"refs/heads/task/{TASK}", "after": commit(tag, group), "commits": None,
                    "repository": PROJECT["repository"]}


def pull_request(group, merged):
    return "pull_request", {
        "action": "closed" if merged else "opened", "repository": PROJECT["repository"],
        "pull_request": {"number": group + 1, "state": "closed" if merged else "open", "merged": merged,
                         "updated_at": at(int(merged)), "head": {"label": f"task/{TASK}", "sha": commit("pull", group)},
                         "base": {"ref": "main"}}}


def work_item(tag, group):
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{tag}-{group}"))
    return {"event": "issue", "action": "created", "webhook_id": "3c2c32ac-94a4-4eb3-94aa-50dc94270001",
            "data": {"id": identity, "project": PROJECT["tracker"], "sequence_id": FIRST_ITEM + group, "name": "an item",
                     "state": {"id": str(uuid.UUID(int=1)), "name": "To Analyse", "group": "unstarted"}, "updated_at": at(0)},
            "activity": None}


def plan(tag, count, head):
    """The first COUNT of them, and one in five of those once more, in an order that depends on the tag alone."""
    sent = []
    for n in range(count):
        group, place = divmod(n, GROUP)
        if place == 7:
            sent.append(Delivery("plane", "issue", json.dumps(work_item(tag, group)).encode(), None))
            continue
        event, body = (status(tag, group, head, place) if place < 4 else
                       push(tag, group) if place == 4 else pull_request(group, place == 6))
        sent.append(Delivery("gitea", event, json.dumps(body).encode(), f"{tag}-{n}"))
    chance = random.Random(tag)
    again = chance.sample(sent, count // 5)
    sent += again
    chance.shuffle(sent)
    return sent


def facts():
    """What is on record: rows by what they are about, and how often the history tells of each thing."""
    database = sqlite3.connect("file:/var/lib/orchd/orchd.db?mode=ro", uri=True, timeout=60)
    seen = collections.Counter()
    for context, state in database.execute("SELECT context, state FROM statuses"):
        seen["status", context, state] += 1
    for number, state in database.execute("SELECT number, state FROM pull_requests"):
        seen["pull", number, state] += 1
    for kind, data in database.execute("SELECT kind, data FROM events WHERE kind IN ('status_told', 'forge_told')"):
        told = json.loads(data)
        if kind == "status_told":
            seen["told", told["context"], told["colour"]] += 1
        else:
            seen["told", told["what"]] += 1
    for item, jobs, made in database.execute(
            "SELECT work_item, (SELECT count(*) FROM jobs WHERE task_id = t.id AND kind = 'agent'),"
            " (SELECT count(*) FROM events WHERE task_id = t.id AND kind = 'task_created') FROM tasks t"):
        seen["task", item, jobs, made] += 1
    return seen


def faults(tag, count):
    """What each of the first COUNT should have come to, once, and did not; whole groups are judged."""
    seen = facts()
    wrong = []

    def once(what):
        if seen[what] != 1:
            wrong.append(f"{seen[what]} times: {what}")

    def at_most_once(what):
        if seen[what] > 1:
            wrong.append(f"{seen[what]} times: {what}")

    for group in range(count // GROUP):
        for context, colour in enumerate(("green", "red")):
            name = f"ci/{tag}-{group}-{context}"
            once(("status", name, colour))
            once(("told", name, colour))
            at_most_once(("told", name, "undecided"))  # not at all where it came late
        once(("told", f"the branch task/{TASK} is at {commit(tag, group)}"))
        once(("pull", group + 1, "merged"))
        opened, merged = (f"pull request {group + 1} is {state} at {commit('pull', group)}" for state in ("open", "merged"))
        once(("told", merged))
        at_most_once(("told", opened))  # not at all where it came late
        once(("task", f"HELLO-{FIRST_ITEM + group}", 1, 1))
    return wrong
