using System.Text.Json.Serialization;

namespace Pipeline.Api.Admin.Shapes;

/// <summary>The JSON of the admin API, read and written by one definition: snake_case, null members written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(UserAnswer))]
[JsonSerializable(typeof(UsersAnswer))]
[JsonSerializable(typeof(UserRequest))]
[JsonSerializable(typeof(LockRequest))]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(TokensAnswer))]
[JsonSerializable(typeof(TokenRequest))]
[JsonSerializable(typeof(CreatedTokenAnswer))]
[JsonSerializable(typeof(CrateAnswer))]
[JsonSerializable(typeof(DeletionAnswer))]
[JsonSerializable(typeof(YankAnswer))]
[JsonSerializable(typeof(PublishAnswer))]
[JsonSerializable(typeof(PublishesAnswer))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(FailuresAnswer))]
[JsonSerializable(typeof(FailureAnswer))]
[JsonSerializable(typeof(ReplayRequest))]
[JsonSerializable(typeof(ReplayAnswer))]
[JsonSerializable(typeof(RebuildRequest))]
[JsonSerializable(typeof(RebuildAnswer))]
[JsonSerializable(typeof(RebuildsAnswer))]
[JsonSerializable(typeof(WebhookAnswer))]
[JsonSerializable(typeof(WebhooksAnswer))]
[JsonSerializable(typeof(WebhookRequest))]
[JsonSerializable(typeof(ErrorsAnswer))]
public sealed partial class AdminJson : JsonSerializerContext;
