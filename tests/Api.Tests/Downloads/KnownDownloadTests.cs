using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Identity;
using Pipeline.Registry.Truth;

namespace Pipeline.Api.Tests.Downloads;

public class KnownDownloadTests
{
    private const string Path = "/crates/Foo/Foo-1.0.0%2Bmeta.crate";
    private const string Key = "crates/Foo/Foo-1.0.0+meta.crate";
    private const string Content = "the bytes of Foo 1.0.0+meta";

    [Fact]
    public async Task A_file_that_is_known_is_sent_without_a_look_into_the_database_and_looks_the_same()
    {
        await using var fixture = await SeedAsync();
        var first = await fixture.GetAsync(Path);
        var reads = Database(fixture).Reads;
        var second = await fixture.GetAsync(Path);
        Database(fixture).Reads.ShouldBe(reads);
        (second.Status, second.Text).ShouldBe((200, Content));
        Lines(second.Headers).ShouldBe(Lines(first.Headers));
    }

    [Fact]
    public async Task A_deletion_by_this_process_is_seen_by_the_next_download()
    {
        await using var fixture = await SeedAsync();
        await KnowAsync(fixture);
        await DeleteAsync(Database(fixture));
        (await fixture.GetAsync(Path)).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_deletion_by_another_process_is_seen_a_second_later()
    {
        await using var fixture = await SeedAsync();
        await KnowAsync(fixture);
        Database(fixture).IsElsewhere = true;
        await DeleteAsync(Database(fixture));
        (await fixture.GetAsync(Path)).Status.ShouldBe(200);
        fixture.Clock.Advance(TimeSpan.FromSeconds(1));
        (await fixture.GetAsync(Path)).Status.ShouldBe(404);
    }

    [Fact]
    public async Task Bytes_that_are_gone_or_others_are_not_sent_as_the_known_ones()
    {
        await using var fixture = await SeedAsync();
        await KnowAsync(fixture);
        await fixture.Store.PutAsync(Key, "others of the same length.."u8.ToArray(), TestContext.Current.CancellationToken);
        (await fixture.GetAsync(Path)).Text.ShouldBe("others of the same length..");
        await fixture.Store.DeleteAsync(Key, TestContext.Current.CancellationToken);
        (await fixture.GetAsync(Path)).Status.ShouldBe(404);
    }

    [Fact]
    public async Task Known_files_are_sent_while_the_database_is_away()
    {
        await using var fixture = await SeedAsync();
        await KnowAsync(fixture);
        Database(fixture).IsAway = true;
        fixture.Clock.Advance(TimeSpan.FromSeconds(5));
        (await fixture.GetAsync(Path)).Text.ShouldBe(Content);
    }

    private static string Lines(IReadOnlyDictionary<string, string> headers) =>
        string.Join('\n', headers.Where(static header => header.Key != "Date").Select(static header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal));

    private static WatchedDatabase Database(ApiFixture fixture) => (WatchedDatabase)fixture.Services.GetRequiredService<IDatabase>();

    private static async Task KnowAsync(ApiFixture fixture)
    {
        for (var i = 0; i < 2; i++) (await fixture.GetAsync(Path)).Status.ShouldBe(200);
    }

    private static ValueTask<Revised> DeleteAsync(IDatabase database) => database.WriteAsync(
        async sql => await CrateDeletion.DeleteAsync(sql, (await CrateLookup.LockCrateAsync(sql, "foo"))!, TimeSpan.FromHours(1), Actor.System, null),
        TestContext.Current.CancellationToken);

    private static async Task<ApiFixture> SeedAsync()
    {
        var fixture = await ApiFixture.CreateAsync(change: static services =>
        {
            var real = (IDatabase)services.Last(static service => service.ServiceType == typeof(IDatabase)).ImplementationInstance!;
            services.AddSingleton<IDatabase>(new WatchedDatabase(real));
        });
        await fixture.PublishAsync("ann", "Foo", "1.0.0+meta");
        await fixture.Store.PutAsync(Key, System.Text.Encoding.UTF8.GetBytes(Content), TestContext.Current.CancellationToken);
        return fixture;
    }

    /// <summary>Counts reads, can be away, and can pretend that what is written comes from another process.</summary>
    private sealed class WatchedDatabase(IDatabase inner) : IDatabase
    {
        private int _reads;
        private long? _commits;

        public int Reads => Volatile.Read(ref _reads);

        public bool IsAway { get; set; }

        public bool IsElsewhere
        {
            set => _commits = value ? inner.Commits : null;
        }

        public Dialect Dialect => inner.Dialect;

        public long Commits => _commits ?? inner.Commits;

        public ValueTask<T> ReadAsync<T>(Func<Statements, ValueTask<T>> read, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _reads);
            return IsAway ? throw new TransientException("database-away", "the database is away") : inner.ReadAsync(read, cancellationToken);
        }

        public ValueTask<T> WriteAsync<T>(Func<Statements, ValueTask<T>> work, CancellationToken cancellationToken = default) => inner.WriteAsync(work, cancellationToken);
    }
}
