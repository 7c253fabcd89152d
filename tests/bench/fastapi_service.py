"""What orchd-listener does, as one would write it with FastAPI: signature, JSON, one durable row a delivery, duplicates once."""
import hashlib
import hmac
import json
import sqlite3

from fastapi import FastAPI, HTTPException, Request

database = sqlite3.connect("/var/lib/bench/fastapi.db", isolation_level=None, check_same_thread=False)
database.executescript("""
PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS deliveries (id INTEGER PRIMARY KEY AUTOINCREMENT, dedup_key TEXT UNIQUE, body_hash TEXT, event TEXT,
                                       body TEXT);
""")
app = FastAPI()


@app.post("/webhooks/gitea")
async def webhook(request: Request):
    body = await request.body()
    right = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(right, request.headers.get("x-gitea-signature", "")):
        raise HTTPException(401)
    json.loads(body)
    database.execute(
        "INSERT INTO deliveries (dedup_key, body_hash, event, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (request.headers["x-gitea-delivery"], hashlib.sha256(body).hexdigest(), request.headers["x-gitea-event-type"],
         body.decode()))
    return {"status": "stored"}
