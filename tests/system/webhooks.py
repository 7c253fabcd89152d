#!/usr/bin/python3
"""A sender of signed webhooks for the tests of the listener, on the host under test.

  webhooks.py one [--secret S] [--id ID] [--port P | --unix PATH]    one delivery; prints the status
  webhooks.py storm COUNT [--workers N] [--head COMMIT]     COUNT distinct deliveries, each sent until it is answered 2xx;
                                                            prints how many attempts that took. With the head of the task
                                                            HELLO-1 such as have a consequence each (webhook_facts.py), one in
                                                            five of them sent twice, in no order
  webhooks.py consequences COUNT --tag TAG                  what that storm did not come to, or came to more than once
  webhooks.py latency COUNT                                 one after another on new connections; prints p50 and p99 in ms
  webhooks.py slow COUNT                                    holds COUNT silent or half-sent connections until killed
  webhooks.py huge BYTES [chunked]                          sends a body of that size, as far as it is let; prints the status
  webhooks.py large COUNT BYTES                             signed bodies of that size, all at once; prints how many were taken
  webhooks.py stored                                        "ROWS DISTINCT" of the deliveries on record
  webhooks.py pending, webhooks.py failed                   how many of them the worker has not taken in; could not
  webhooks.py connectable SECONDS                           waits for an answer, whatever it is; prints the milliseconds
"""
import argparse
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import socket
import sqlite3
import sys
import threading
import time
import uuid

import webhook_facts

SECRET = "s3cret"


def request(delivery, secret):
    """The headers; Plane's delivery id is another with each attempt."""
    signature = hmac.new(secret.encode(), delivery.body, hashlib.sha256).hexdigest()
    if delivery.source == "plane":
        return {"Content-Type": "application/json", "X-Plane-Event": delivery.event, "X-Plane-Delivery": str(uuid.uuid4()),
                "X-Plane-Signature": signature}
    return {"Content-Type": "application/json", "X-Gitea-Event-Type": delivery.event, "X-Gitea-Delivery": delivery.key,
            "X-Gitea-Signature": signature}


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.host)


def plain(identity):
    return webhook_facts.Delivery("gitea", "fork", json.dumps({"delivery": identity}).encode(), identity)


def send(delivery, args, secret=SECRET):
    own = UnixConnection(args.unix) if args.unix else http.client.HTTPConnection("127.0.0.1", args.port, timeout=30)
    own.request("POST", f"/webhooks/{delivery.source}", delivery.body, request(delivery, secret))
    answer = own.getresponse()
    answer.read()
    own.close()
    return answer.status


def storm(args):
    if args.head:
        left = webhook_facts.plan(args.tag, args.count, args.head)
    else:
        left = [plain(f"{args.tag}-{n}") for n in range(args.count)]
    lock, sent = threading.Lock(), len(left)
    attempts = [0, 0]

    def work():
        while True:
            with lock:
                if not left:
                    return
                delivery = left.pop()
            while True:
                attempts[0] += 1
                try:
                    if 200 <= send(delivery, args) < 300:
                        break
                except ConnectionRefusedError:
                    attempts[1] += 1
                except (OSError, http.client.HTTPException):
                    pass
                time.sleep(args.pause)
            time.sleep(args.pause)

    threads = [threading.Thread(target=work) for _ in range(args.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sent} answered after {attempts[0]} attempts, {attempts[1]} connections refused")


def latency(args):
    took = []
    for n in range(args.count):
        begin = time.monotonic()
        status = send(plain(f"{args.tag}-{n}"), args)
        took.append(1000 * (time.monotonic() - begin))
        if status != 200:
            sys.exit(f"answered {status}")
    took.sort()
    print(f"p50 {took[len(took) // 2]:.1f} ms, p99 {took[len(took) * 99 // 100]:.1f} ms")


def slow(args):
    held = []
    for n in range(args.count):
        one = socket.create_connection(("127.0.0.1", args.port))
        if n % 3 == 1:
            one.sendall(b"POST /webhooks/gitea HTTP/1.1\r\nHost: h\r\n")
        if n % 3 == 2:
            one.sendall(b"POST /webhooks/gitea HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                        b"X-Gitea-Signature: " + b"0" * 64 + b"\r\nContent-Length: 100\r\n\r\n{")
        held.append(one)
    print("held", flush=True)
    time.sleep(1000)


def huge(args):
    one = socket.create_connection(("127.0.0.1", args.port))
    head = (b"POST /webhooks/gitea HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nX-Gitea-Signature: " + b"0" * 64 +
            b"\r\n")
    chunked = args.form == "chunked"
    head += b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"Content-Length: %d\r\n\r\n" % args.count
    piece = b"x" * 65536
    sent = 0
    try:
        one.sendall(head)
        while sent < args.count:
            one.sendall(b"10000\r\n" + piece + b"\r\n" if chunked else piece)
            sent += len(piece)
    except OSError:
        pass
    try:
        answer = one.recv(200).split(b" ")
        print(answer[1].decode() if len(answer) > 1 else "none", sent)
    except OSError as error:
        print("none", sent, error)


def large(args):
    size = int(args.form)
    many = [webhook_facts.Delivery("gitea", "fork", json.dumps({"delivery": str(n), "more": "x" * size}).encode(),
                                   f"{args.tag}-{n}") for n in range(args.count)]
    with concurrent.futures.ThreadPoolExecutor(args.count) as threads:
        print(list(threads.map(lambda one: send(one, args), many)).count(200))


def ask(question):
    database = sqlite3.connect("file:/var/lib/orchd/orchd.db?mode=ro", uri=True, timeout=60)
    print(*database.execute(question).fetchone())


def stored(_):
    ask("SELECT count(*), count(DISTINCT source || dedup_key) FROM deliveries")


def pending(_):
    ask("SELECT count(*) FROM deliveries WHERE state = 'pending'")


def failed(_):
    ask("SELECT count(*) FROM deliveries WHERE state = 'failed'")


def consequences(args):
    wrong = webhook_facts.faults(args.tag, args.count)
    print(f"{len(wrong)} faults", *wrong[:10], sep="\n")


def connectable(args):
    begin = time.monotonic()
    while time.monotonic() - begin < args.count:
        try:
            own = http.client.HTTPConnection("127.0.0.1", args.port, timeout=args.count)
            own.request("GET", "/nothing")
            own.getresponse().read()
            print(f"{1000 * (time.monotonic() - begin):.0f}")
            return
        except OSError:
            time.sleep(0.001)
        except http.client.HTTPException:
            pass
    sys.exit("not connectable")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["one", "storm", "latency", "slow", "huge", "large", "stored", "pending", "failed",
                                         "consequences", "connectable"])
    parser.add_argument("count", nargs="?", type=int, default=1)
    parser.add_argument("form", nargs="?")
    parser.add_argument("--port", type=int, default=8500)
    parser.add_argument("--unix")
    parser.add_argument("--secret", default=SECRET)
    parser.add_argument("--id", default=None)
    parser.add_argument("--tag", default=uuid.uuid4().hex[:8])
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--pause", type=float, default=0.01)
    parser.add_argument("--head")
    args = parser.parse_args()
    if args.what == "one":
        print(send(plain(args.id or str(uuid.uuid4())), args, args.secret))
    else:
        globals()[args.what](args)


main()
