"""One connection to the broker that never gives up: last will, latest-wins publishing, announce on connect.

Every attempt uses a fresh ``aiomqtt.Client``. MQTT 5 is tried first and 3.1.1 when the broker knows no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from enum import IntEnum
from types import TracebackType
from typing import Self

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from daemon.mqtt.topics import OFFLINE, ONLINE
from daemon.mqtt.transport.direct_client import DirectClient, NoAnswerError
from daemon.mqtt.transport.muting import Muting
from daemon.mqtt.transport.outage import Cause, LinkTrouble, Outage
from daemon.mqtt.transport.outbox import MAX_EVENTS, LinkCounters, Message, Outbox
from daemon.settings import BrokerSettings

KEEPALIVE_S = 10
MAX_BACKOFF_S = 30.0
PATIENCE_S = 5.0
"""So long after the start a missing broker is asked again at once: it may be starting beside us."""
MAX_PACKET_BYTES = 256 * 1024
SHORT_LIFE_S = 5.0
SHORT_LIVES = 3
"""So many connections in a row that ended so early mean that two clients of one id drive each other out: not
every broker says so."""


class BrokerCode(IntEnum):
    """Reason codes of MQTT 5 that the broker says; paho says those of 3.1.1 in the same words.

    paho's own errors (``MQTTErrorCode``) have numbers of their own, which mean something else.
    """

    UNSUPPORTED_PROTOCOL = 0x84
    BAD_PASSWORD = 0x86
    NOT_AUTHORISED = 0x87
    BANNED = 0x8A
    TAKEN_OVER = 0x8E
    NO_RETAIN = 0x9A


REFUSED = {BrokerCode.BAD_PASSWORD, BrokerCode.NOT_AUTHORISED, BrokerCode.BANNED}

log = logging.getLogger(__name__)


class _BrokenError(aiomqtt.MqttError):
    """A link that stood has broken."""


OnMessage = Callable[[str, bytes, bool], None]


def backoff_s(failures: int, rng: random.Random) -> float:
    """1, 2, 4 .. 30 s with 50 % jitter either way."""
    return min(MAX_BACKOFF_S, 2.0 ** min(failures - 1, 10)) * rng.uniform(0.5, 1.5)


def tls_context(broker: BrokerSettings) -> ssl.SSLContext | None:
    """A verifying context, with the client certificate where one is configured; None without TLS."""
    if not broker.tls:
        return None
    context = ssl.create_default_context(cafile=broker.ca_file)
    if broker.cert_file:
        context.load_cert_chain(broker.cert_file, broker.key_file)
    return context


class MqttLink:
    """Keeps states on the broker and hears topics, for as long as ``async with`` lasts.

    ``keep`` and ``send`` never block and may be called at any time on the event loop. ``hear`` is called
    on the loop with (topic, payload, retained). ``availability`` is the full topic of the last will, and
    ``meanwhile`` says in the log what goes on while the broker is away.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        identifier: str,
        *,
        on_message: OnMessage,
        subscriptions: Sequence[str] = (),
        availability: str | None = None,
        meanwhile: str = "",
        seed: int | None = None,
    ) -> None:
        self.counters = LinkCounters()
        self.connected = asyncio.Event()
        self.last_error: str | None = None
        self.keeps = True
        """False: the broker is to keep nothing of this link, from now on; what is said is said once."""
        self._retains = True
        """False once the broker has said that it keeps nothing of anybody."""
        self._broker = broker
        self._identifier = identifier
        self._on_message = on_message
        self._subscriptions = tuple(subscriptions)
        self._availability = availability
        self._outage = Outage(broker.url, meanwhile)
        self._rng = random.Random(seed)  # noqa: S311 - jitter, no secret
        self._kept: dict[str, Message] = {}
        self._outbox = Outbox(self.counters)
        self._muting = Muting(self._subscribe)
        self._client_now: aiomqtt.Client | None = None
        self._closing = asyncio.Event()
        self._protocol = aiomqtt.ProtocolVersion.V311 if broker.mqtt3 else aiomqtt.ProtocolVersion.V5
        self._task: asyncio.Task[None] | None = None

    def retain(self, topic: str, payload: bytes, expiry_s: int | None = None) -> None:
        """Publish a retained state; only the newest of a topic is sent, and again on every connect."""
        message = Message(payload, 1, retain=self.keeps, expiry_s=expiry_s)
        if self.keeps:
            self._kept[topic] = message
        if self.connected.is_set():
            self._outbox.put_state(topic, message)

    def put(self, topic: str, payload: bytes, expiry_s: int | None = None) -> None:
        """Have the broker keep this from now on, and say it once; an empty payload deletes what it keeps."""
        self._kept.pop(topic, None)
        if self.connected.is_set():
            self._outbox.put_state(topic, Message(payload, 1, retain=True, expiry_s=expiry_s))

    @property
    def knows_expiry(self) -> bool:
        """Whether the broker forgets what has expired."""
        return self._protocol is aiomqtt.ProtocolVersion.V5

    def send(self, topic: str, payload: bytes, *, qos: int = 0) -> None:
        """Publish an event. Without a broker QoS 0 is dropped; others wait, the oldest being dropped."""
        if qos or self.connected.is_set():
            self._outbox.put_event(topic, Message(payload, qos, retain=False))

    def stop_retaining(self) -> None:
        """Retain nothing from now on. What the broker has is whoever's to delete that asks for this."""
        self.keeps = False
        self._kept.clear()
        self._outbox.states.clear()

    @property
    def _to_retain(self) -> bool:
        return self.keeps and self._retains

    def republish(self) -> None:
        """Publish every kept state once more, as after a listener's restart."""
        if self.connected.is_set():
            for topic, message in self._kept.items():
                self._outbox.put_state(topic, message)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name=f"mqtt {self._identifier}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._task is None:
            return
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self._task, timeout=1.5)

    async def _run(self) -> None:
        failures, started, short_lives = 0, time.monotonic(), 0
        while not self._closing.is_set():
            before = self.counters.connects
            wait_s, began = 0.0, time.monotonic()
            try:
                await self._attempt()
            except (aiomqtt.MqttError, OSError, ValueError) as error:
                failures = 1 if self.counters.connects > before else failures + 1
                patient = time.monotonic() - started < PATIENCE_S and not self.counters.connects
                short = self.counters.connects > before and time.monotonic() - began < SHORT_LIFE_S
                short_lives = short_lives + 1 if short else 0
                pause_s = 0.1 if patient else backoff_s(failures, self._rng)
                wait_s = self._note(error, pause_s, quarrel=short_lives >= SHORT_LIVES)
            finally:
                self.connected.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), timeout=wait_s or 0.001)

    def _note(self, error: Exception, wait_s: float, *, quarrel: bool) -> float:
        """Have it told what is wrong, choose 3.1.1 for a broker that knows no 5, and return the pause."""
        self.counters.failures += 1
        code = BrokerCode.TAKEN_OVER if quarrel else _reason(error)
        if code is BrokerCode.UNSUPPORTED_PROTOCOL and self._protocol is aiomqtt.ProtocolVersion.V5:
            self._protocol = aiomqtt.ProtocolVersion.V311
            return 0.0
        if code is BrokerCode.NO_RETAIN and self._retains:
            self._retains = False
            log.warning(
                "the broker at %s keeps no messages: who comes later sees nothing until it is said again; "
                "allow retained messages there (Mosquitto: retain_available true)",
                self._broker.url,
            )
            return 0.0
        if isinstance(error, NoAnswerError) and not self.counters.connects:
            self._protocol = _other(self._protocol)  # some brokers hang up on a CONNECT they do not know
        if code in REFUSED or _untrusted(error):
            wait_s = MAX_BACKOFF_S * self._rng.uniform(0.5, 1.0)  # asking again will not change its mind
        if code is BrokerCode.TAKEN_OVER:
            self.counters.taken_over += 1
            wait_s = MAX_BACKOFF_S * self._rng.uniform(1.0, 1.5)
        text = f"{type(error).__name__}: {error}" if not isinstance(error, aiomqtt.MqttError) else str(error)
        if code is BrokerCode.TAKEN_OVER:
            text = (
                f"another client took over the id {self._identifier!r}: does a second daemon use this node?"
            )
        self.last_error = text
        if not self._closing.is_set():
            why = text if code is BrokerCode.TAKEN_OVER else _trouble(error) or text
            self._outage.failed(_cause(code, error), why)
        return wait_s

    def _client(self) -> DirectClient:
        five = self._protocol is aiomqtt.ProtocolVersion.V5
        properties = Properties(PacketTypes.CONNECT) if five else None  # type: ignore[no-untyped-call]
        if properties is not None:
            properties.MaximumPacketSize = MAX_PACKET_BYTES
        will = (
            aiomqtt.Will(self._availability, OFFLINE, 1, retain=self._to_retain)
            if self._availability
            else None
        )
        return DirectClient(
            self._digest,
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            identifier=self._identifier,
            protocol=self._protocol,
            clean_session=None if five else True,
            clean_start=five or MQTT_CLEAN_START_FIRST_ONLY,
            will=will,
            timeout=10,
            keepalive=KEEPALIVE_S,
            max_queued_outgoing_messages=MAX_EVENTS,
            properties=properties,
            tls_context=tls_context(self._broker),
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    async def _attempt(self) -> None:
        client = self._client()
        try:
            await client.__aenter__()
        except BaseException:
            asyncio.get_running_loop().call_soon(client.give_up)  # after what its thread asked the loop for
            raise
        farewell = not self._availability
        self._client_now = client
        try:
            await self._announce(client)
            await self._converse(client)
            if self._availability:
                await client.publish(self._availability, OFFLINE, qos=1, retain=self._to_retain, timeout=1)
                farewell = True
        finally:
            self._client_now = None
            self._muting.close()
            self.connected.clear()
            # a clean end takes the last will back: "online" would stay for good, but where nothing is kept
            if not farewell and self.keeps:
                client.give_up()
            with contextlib.suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)
            client.give_up()

    async def _announce(self, client: aiomqtt.Client) -> None:
        """Subscribe again and say everything again: a broker killed with -9 forgot it all."""
        for topic in self._subscriptions:
            await self._subscribe(client, topic)
        if self._availability:
            await client.publish(self._availability, ONLINE, qos=1, retain=self._to_retain)
        self.counters.connects += 1
        self.last_error = None
        self._outage.over()
        self._outbox.states.clear()
        self.connected.set()
        for topic, message in self._kept.items():
            self._outbox.put_state(topic, message)

    async def _subscribe(self, client: aiomqtt.Client, topic: str) -> None:
        options = None
        if self._protocol is aiomqtt.ProtocolVersion.V5:
            options = SubscribeOptions(qos=1, retainAsPublished=True)
        await client.subscribe(topic, qos=0 if options else 1, options=options)

    def mute(self, topic: str, seconds: float) -> None:
        """Have the broker send nothing on this subscription for so long: it keeps all else waiting."""
        if self._client_now is not None:
            self._muting.mute(self._client_now, topic, seconds)

    async def _converse(self, client: aiomqtt.Client) -> None:
        """Read and write until the link breaks (raises) or closes (returns once the outbox is written)."""
        tasks = [
            asyncio.create_task(self._read(client)),
            asyncio.create_task(self._write(client)),
            asyncio.create_task(self._closing.wait()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._flushed(), timeout=0.5)
        except NoAnswerError:
            raise
        except aiomqtt.MqttError as error:
            raise _BrokenError(str(error)) from error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _flushed(self) -> None:
        while self._outbox.states or self._outbox.events:  # noqa: ASYNC110 - bounded by the caller
            await asyncio.sleep(0.01)

    async def _read(self, client: aiomqtt.Client) -> None:
        """Messages go to ``_digest``; what is waited for here is the error with which the link breaks."""
        async for message in client.messages:
            log.error("a message on %.200s came by the wrong way", message.topic)

    def _digest(self, message: MQTTMessage) -> None:
        self.counters.received += 1
        try:
            self._on_message(message.topic, bytes(message.payload), message.retain)
        except Exception:  # a listener's fault must not cut the link
            log.exception("a message was not digested")

    async def _write(self, client: aiomqtt.Client) -> None:
        while True:
            topic, message = await self._outbox.get()
            await self._publish(client, topic, message)
            self.counters.published += 1

    async def _publish(self, client: aiomqtt.Client, topic: str, message: Message) -> None:
        properties = None
        if message.expiry_s is not None and self.knows_expiry:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = message.expiry_s
        retain = message.retain and self._retains
        await client.publish(topic, message.payload, qos=message.qos, retain=retain, properties=properties)


def _other(protocol: aiomqtt.ProtocolVersion) -> aiomqtt.ProtocolVersion:
    five, three = aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311
    return three if protocol is five else five


def _reason(error: Exception) -> BrokerCode | None:
    """What the broker said, in the error or in what caused it; None for errors of our own side."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, aiomqtt.MqttCodeError) and isinstance(seen.rc, ReasonCode):
            return BrokerCode(seen.rc.value) if seen.rc.value in set(BrokerCode) else None
        seen = seen.__cause__
    return None


def _cause(code: BrokerCode | None, error: Exception) -> Cause:
    if code is BrokerCode.TAKEN_OVER:
        return "taken_over"
    if code in REFUSED:
        return "refused"
    return "untrusted" if _untrusted(error) else "away"


def _trouble(error: Exception) -> LinkTrouble | None:
    if isinstance(error, _BrokenError):
        return LinkTrouble.BROKEN
    return LinkTrouble.NO_ANSWER if isinstance(error, NoAnswerError) else None


def _untrusted(error: Exception) -> bool:
    """Whether the broker's certificate was refused, or ours by it."""
    chain: list[BaseException] = [error]
    while (deeper := chain[-1].__cause__ or chain[-1].__context__) is not None and deeper not in chain:
        chain.append(deeper)
    return any(isinstance(one, ssl.SSLError) for one in chain)
