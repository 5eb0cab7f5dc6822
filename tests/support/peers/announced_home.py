"""Both roles' links of a node, announced to a home, with a document of each kind said."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from daemon.home.discovery import Discovery
from daemon.home.entities import ENTITIES, Owner
from daemon.home.link import HomeLink
from daemon.mqtt import topics
from daemon.mqtt.outlet import Outlet
from daemon.settings import BrokerSettings, HomeAssistantSettings, Settings, Style
from support.documents import DOCUMENTS
from support.waiting import until


@contextlib.asynccontextmanager
async def announced(
    port: int, style: Style = "component", node: str = "den", **changes: Any
) -> AsyncIterator[dict[Owner, HomeLink]]:
    """Both links, once everything was said."""
    home = HomeAssistantSettings(discovery=style)
    settings = Settings(node=node, broker=BrokerSettings(port=port), home_assistant=home, **changes)
    async with contextlib.AsyncExitStack() as stack:
        links: dict[Owner, HomeLink] = {}
        for owner in ENTITIES:
            outlet = Outlet(topics.Topics(node))
            link = HomeLink(settings, owner, outlet, on_message=lambda *_: None, subscriptions=[])
            links[owner] = await stack.enter_async_context(link)
            await until(link.link.connected.is_set)
            for name, document in DOCUMENTS.items():
                if name != topics.MOOD_CHANGED and name.startswith("player") == (owner == "player"):
                    outlet.retain(name, document)
        for link in links.values():
            await until(lambda link=link: link.introduced)  # type: ignore[misc]
        yield links


def discovery_topics(style: Style, node: str = "den") -> set[str]:
    """Where the messages of a style lie."""
    return {topic for owner in ENTITIES for topic in Discovery(node, style).messages(owner)}
