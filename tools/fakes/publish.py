"""Say something at a broker: ``python -m tools.fakes.publish mqtt://127.0.0.1:1883 TOPIC MESSAGE``."""

import asyncio
import sys

import aiomqtt
from yarl import URL


async def publish(address: str, topic: str, message: str) -> None:
    """Say it once, and return when the broker has it."""
    broker = URL(address)
    async with aiomqtt.Client(broker.host or "", broker.port or 1883, timeout=5) as client:
        await client.publish(topic, message, qos=1)


def main() -> None:
    """Say what the command line says."""
    try:
        address, topic, message = sys.argv[1:]
    except ValueError:
        sys.exit(__doc__)
    try:
        asyncio.run(publish(address, topic, message))
    except aiomqtt.MqttError as err:
        sys.exit(f"The broker does not take it: {err}")


if __name__ == "__main__":
    main()
