"""A service that was not written for verbatim: it takes the time from the system."""

import random
import time

from fastapi import FastAPI, Request

app = FastAPI()
totals: dict[str, float] = {}


@app.post("/v1/readings")
async def reading(request: Request):
    body = await request.json()
    meter = body["meter_id"]
    totals[meter] = totals.get(meter, 0) + body["kwh"]
    draw = random.Random(int(request.headers["x-verbatim-seed"]))
    return {
        "meter_id": meter,
        "total_kwh": totals[meter],
        "received_ms": round(time.time() * 1000),
        "audited": draw.random() < 0.1,
        "ticket": draw.getrandbits(32),
    }
