"""GraphQL queries and mutations of API keys."""

from typing import Annotated

import strawberry

from app.errors import Rejected
from schema.types.context import Info
from schema.types.keys.types import ApiKey, CreateApiKeyInput, CreateApiKeyPayload, RevokeApiKeyPayload
from schema.types.node import ID
from schema.types.payloads import user_errors


@strawberry.type
class KeyQueries:
    @strawberry.field(
        description="The API keys of the caller's organization whose projects the caller may use, revoked ones "
        "included, oldest first. FORBIDDEN without an administrator's key."
    )
    async def api_keys(self, info: Info) -> list[ApiKey]:
        return [ApiKey.of(key) for key in await info.context.services.keys.all(info.context.caller)]


@strawberry.type
class KeyMutations:
    @strawberry.mutation(
        description="Create an API key, with the caller's rights at most. FORBIDDEN without an administrator's key."
    )
    async def create_api_key(
        self,
        info: Info,
        input: Annotated[CreateApiKeyInput, strawberry.argument(description="The key to create.")],
    ) -> CreateApiKeyPayload:
        try:
            key, secret = await info.context.services.keys.create(info.context.caller, input.draft())
        except Rejected as rejected:
            return CreateApiKeyPayload(api_key=None, secret=None, user_errors=user_errors(rejected))
        return CreateApiKeyPayload(api_key=ApiKey.of(key), secret=secret, user_errors=[])

    @strawberry.mutation(
        description="Revoke an API key: servers refuse it within two seconds. A revoked one is returned unchanged. "
        "FORBIDDEN without an administrator's key."
    )
    async def revoke_api_key(
        self, info: Info, prefix: Annotated[ID, strawberry.argument(description="The key's prefix.")]
    ) -> RevokeApiKeyPayload:
        try:
            key = await info.context.services.keys.revoke(info.context.caller, prefix)
        except Rejected as rejected:
            return RevokeApiKeyPayload(api_key=None, user_errors=user_errors(rejected, "prefix"))
        return RevokeApiKeyPayload(api_key=ApiKey.of(key), user_errors=[])
