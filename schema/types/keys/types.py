"""GraphQL types of API keys, and their conversion to commands."""

from datetime import datetime

import strawberry

from app.auth.key_manager import MAX_PROJECTS, MAX_TEXT, KeyDraft
from app.auth.keys import Key
from schema.types.lists.fields import about, given
from schema.types.node import ID
from schema.types.payloads import UserError
from schema.types.values.input_factory import quick


@strawberry.type(description="An API key. Its secret is shown once, when it is created.")
class ApiKey:
    prefix: ID = strawberry.field(description="The beginning of the key, which identifies it.")
    user_id: ID | None = strawberry.field(description="The user of the key, if named.")
    email: str | None = strawberry.field(description="The email of its user, if named.")
    project_ids: list[ID] | None = strawberry.field(description="The projects it is limited to; null for all.")
    read_only: bool = strawberry.field(description="Whether it is limited to reading.")
    is_admin: bool = strawberry.field(description="Whether it manages the keys of its organization.")
    created_at: datetime | None = strawberry.field(description="When it was created.")
    created_by: ID | None = strawberry.field(
        description="The prefix of the key that created it. Null for keys of the command line."
    )
    last_used_at: datetime | None = strawberry.field(description="When it was last used, within a minute.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked. Null while it is valid.")
    revoked_by: ID | None = strawberry.field(
        description="The prefix of the key that revoked it. Null if the command line did."
    )

    @classmethod
    def of(cls, key: Key) -> "ApiKey":
        return cls(
            prefix=ID(key.prefix),
            user_id=None if key.user_id is None else ID(key.user_id),
            email=key.email,
            project_ids=None if key.projects is None else [ID(each) for each in sorted(key.projects)],
            read_only=key.read_only,
            is_admin=key.is_admin,
            created_at=key.created_at,
            created_by=None if key.created_by is None else ID(key.created_by),
            last_used_at=key.last_used_at,
            revoked_at=key.revoked_at,
            revoked_by=None if key.revoked_by is None else ID(key.revoked_by),
        )


@quick
@strawberry.input(description="An API key to create, with the caller's rights at most.")
class CreateApiKeyInput:
    user_id: ID | None = about(f"The user of the key, stored with what it creates: 1 to {MAX_TEXT} characters.")
    email: str | None = about(f"The email of its user: 1 to {MAX_TEXT} characters.")
    project_ids: list[ID] | None = about(
        f"Limit it to these projects, 1 to {MAX_PROJECTS:,}; null: all that the caller may use."
    )
    read_only: bool = about("Limit it to reading.", default=False)
    is_admin: bool = about("Let it manage the keys of its organization.", default=False)

    def draft(self) -> KeyDraft:
        return KeyDraft(given(self.user_id), given(self.email), given(self.project_ids), self.read_only, self.is_admin)


@strawberry.type(description="`apiKey` and `secret` are null exactly when `userErrors` is not empty.")
class CreateApiKeyPayload:
    api_key: ApiKey | None = strawberry.field(description="The created key.")
    secret: str | None = strawberry.field(description="The key itself. It is shown only here, and is not stored.")
    user_errors: list[UserError] = strawberry.field(description="All errors that prevented it.")


@strawberry.type(description="`apiKey` is null exactly when `userErrors` is not empty.")
class RevokeApiKeyPayload:
    api_key: ApiKey | None = strawberry.field(description="The revoked key.")
    user_errors: list[UserError] = strawberry.field(description="All errors that prevented it.")
