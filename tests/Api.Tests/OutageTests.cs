using Microsoft.Extensions.DependencyInjection;
using Pipeline.Registry.Database;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Store;

namespace Pipeline.Api.Tests;

public class OutageTests
{
    [Fact]
    public async Task Index_and_downloads_go_on_while_the_database_is_away()
    {
        await using var fixture = await ApiFixture.CreateAsync(change: static services => services.AddSingleton<IDatabase>(new AwayDatabase()));
        await fixture.Store.PutAsync(StoreKeys.Crate("foo", "1.0.0+meta"), "bytes"u8.ToArray(), TestContext.Current.CancellationToken);
        await fixture.Store.PutAsync(StoreKeys.SparseFile("3/f/foo"), "line\n"u8.ToArray(), TestContext.Current.CancellationToken);
        (await fixture.GetAsync("/index/3/f/foo")).Text.ShouldBe("line\n");
        var answer = await fixture.GetAsync("/crates/foo/foo-1.0.0+meta.crate");
        (answer.Status, answer.Text).ShouldBe((200, "bytes"));
        // It may be a mirrored one, and cargo takes a 404 for final.
        (await fixture.GetAsync("/crates/foo/foo-1.0.1.crate")).Status.ShouldBe(503);
    }

    [Theory]
    [InlineData("GET", "/api/v1/crates")]
    [InlineData("GET", "/api/v1/crates/foo")]
    [InlineData("GET", "/api/v1/me")]
    [InlineData("DELETE", "/api/v1/crates/foo/1.0.0/yank")]
    public async Task Everything_else_says_so_and_may_be_tried_again(string method, string path)
    {
        await using var fixture = await ApiFixture.CreateAsync(change: static services => services.AddSingleton<IDatabase>(new AwayDatabase()));
        (await fixture.SendAsync(method, path, "cio00000000000000000000000000000000")).ShouldFail(503, "Service unavailable: the database is away");
        (await fixture.GetAsync("/readyz")).ShouldFail(503, "Service unavailable: the database cannot be reached");
    }

    private sealed class AwayDatabase : IDatabase
    {
        public Dialect Dialect => Dialect.Sqlite;

        public long Commits => 0;

        public ValueTask<T> ReadAsync<T>(Func<Statements, ValueTask<T>> read, CancellationToken cancellationToken = default) => throw Away();

        public ValueTask<T> WriteAsync<T>(Func<Statements, ValueTask<T>> work, CancellationToken cancellationToken = default) => throw Away();

        private static TransientException Away() => new("database-busy", "the database is away");
    }
}
