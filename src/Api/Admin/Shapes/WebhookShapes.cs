using Pipeline.Contracts;

namespace Pipeline.Api.Admin.Shapes;

/// <summary>A webhook, without its secret, which is never shown. Times are UTC.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Url">Where notices are sent.</param>
/// <param name="Kinds">Which kinds of changes; empty: every kind.</param>
/// <param name="Crates">Which crates: names, or the start of one and <c>*</c>; empty: every crate.</param>
/// <param name="CreatedAt">When it was added.</param>
/// <param name="Cursor">How far it has been told, as a cursor of the change feed.</param>
/// <param name="Behind">How many changes there are behind that, whether it wants them or not.</param>
/// <param name="Attempts">How often the next notice has failed.</param>
/// <param name="Failing">How many deliveries have failed since the last that succeeded.</param>
/// <param name="LastError">How the last of them failed; null: none has.</param>
/// <param name="LastDeliveredAt">When a delivery last succeeded; null: never.</param>
/// <param name="NextTryAt">When the next notice is tried again; null: it does not wait.</param>
/// <param name="GivenUp">How many notices were given up and can be replayed.</param>
public sealed record WebhookShape(
    long Id, string Url, IReadOnlyList<string> Kinds, IReadOnlyList<string> Crates, DateTime CreatedAt, string Cursor, long Behind, long Attempts, long Failing, string? LastError,
    DateTime? LastDeliveredAt, DateTime? NextTryAt, long GivenUp);

/// <summary>The answer with one webhook.</summary>
/// <param name="Webhook">The webhook.</param>
public sealed record WebhookAnswer(WebhookShape Webhook);

/// <summary>All webhooks, oldest first.</summary>
/// <param name="Webhooks">The webhooks.</param>
public sealed record WebhooksAnswer(IReadOnlyList<WebhookShape> Webhooks);

/// <summary>The body that adds a webhook.</summary>
/// <param name="Url">Where notices are sent.</param>
/// <param name="Secret">What they are signed with.</param>
/// <param name="Kinds">Which kinds of changes; none: every kind.</param>
/// <param name="Crates">Which crates; none: every crate.</param>
/// <param name="Since">From where in the change feed it is told: a cursor, <c>start</c>, or null for what comes after now.</param>
public sealed record WebhookRequest(string? Url, Secret? Secret, IReadOnlyList<string>? Kinds = null, IReadOnlyList<string>? Crates = null, string? Since = null);
