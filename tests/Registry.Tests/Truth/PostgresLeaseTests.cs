using Pipeline.Registry.Database;

namespace Pipeline.Registry.Tests.Truth;

[Trait("Engine", "postgres")]
public sealed class PostgresLeaseTests : LeaseContract
{
    private TempDatabase _truth = null!;

    public override ValueTask DisposeAsync() => _truth.DisposeAsync();

    protected override async ValueTask<IDatabase> OpenAsync() => (_truth = await TempDatabase.CreateAsync(onPostgres: true, TimeProvider.System)).Database;
}
