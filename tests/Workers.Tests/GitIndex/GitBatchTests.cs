using System.Text;
using Pipeline.Contracts.Index;
using Pipeline.Workers.GitIndex;

namespace Pipeline.Workers.Tests.GitIndex;

public sealed class GitBatchTests
{
    private const string New = "new\n";
    private const string Old = "old\n";

    // The crate is Foo-Bar at fo/o-/foo-bar; tip and former are what lies where.
    [Theory]
    [InlineData("a file that is not there is created", New, null, "", "", "Create crate `Foo-Bar`", "+fo/o-/foo-bar")]
    [InlineData("other bytes are an update", New, Old, "", "", "Update crate `Foo-Bar`", "+fo/o-/foo-bar")]
    [InlineData("equal bytes are nothing", New, New, "", "", null, "")]
    [InlineData("no file that is there is a deletion", null, Old, "", "", "Delete crate `Foo-Bar`", "-fo/o-/foo-bar")]
    [InlineData("no file and none there is nothing", null, null, "", "", null, "")]
    [InlineData("another spelling takes the old file away", New, null, "fo/o_/foo_bar", "fo/o_/foo_bar", "Create crate `Foo-Bar`", "-fo/o_/foo_bar +fo/o-/foo-bar")]
    [InlineData("an old file that is gone already is not deleted again", New, null, "fo/o_/foo_bar", "", "Create crate `Foo-Bar`", "+fo/o-/foo-bar")]
    [InlineData("equal bytes with an old file left over", New, New, "fo/o_/foo_bar", "fo/o_/foo_bar", "Update crate `Foo-Bar`", "-fo/o_/foo_bar")]
    [InlineData("a deletion takes both", null, Old, "fo/o_/foo_bar", "fo/o_/foo_bar", "Delete crate `Foo-Bar`", "-fo/o-/foo-bar -fo/o_/foo_bar")]
    public void A_commit_says_what_differs(string why, string? content, string? tip, string former, string formerAtTip, string? message, string changes)
    {
        var atTip = new Dictionary<string, string>();
        if (tip is not null) atTip["fo/o-/foo-bar"] = GitBlobId.Of(Encoding.UTF8.GetBytes(tip));
        if (formerAtTip.Length > 0) atTip[formerAtTip] = GitBlobId.Of("former\n"u8);

        var decision = GitBatch.Plan([Crate("Foo-Bar", content, former.Length > 0 ? [former] : [])], atTip);
        if (message is null)
        {
            decision.Commits.ShouldBeEmpty(why);
            decision.Equal.Count.ShouldBe(1);
            return;
        }

        var commit = decision.Commits.ShouldHaveSingleItem(why).Commit;
        commit.Message.ShouldBe(message);
        string.Join(' ', commit.Deletes.Select(path => $"-{path}").Concat(commit.Upserts.Select(file => $"+{file.Path}"))).ShouldBe(changes);
        decision.Equal.ShouldBeEmpty();
    }

    [Fact]
    public void A_crate_never_takes_away_the_file_of_another_row()
    {
        var rows = new[] { Crate("foo-bar", New, ["fo/o_/foo_bar"]), Crate("foo_bar", New, []) };
        var commits = GitBatch.Plan(rows, new Dictionary<string, string> { ["fo/o_/foo_bar"] = GitBlobId.Of("old\n"u8) }).Commits;
        commits.SelectMany(planned => planned.Commit.Deletes).ShouldBeEmpty();
        commits.Select(planned => planned.Commit.Message).ShouldBe(["Create crate `foo-bar`", "Update crate `foo_bar`"]);
    }

    [Fact]
    public void Commits_come_in_the_order_of_the_rows() =>
        GitBatch.Plan([Crate("zz", New, []), Crate("aa", New, []), Crate("mm", New, [])], new Dictionary<string, string>())
            .Commits.Select(planned => planned.Crate.Name).ShouldBe(["zz", "aa", "mm"]);

    [Theory]
    [InlineData(3, "Create crate `zz`|Create crate `aa`|Create crate `mm`")]
    [InlineData(2, "Change 3 crates\n\nCreate crate `zz`\nCreate crate `aa`\nCreate crate `mm`")]
    public void Up_to_a_few_changes_have_a_commit_each_and_more_have_one_together(int mostAlone, string messages)
    {
        var planned = GitBatch.Plan([Crate("zz", New, []), Crate("aa", New, []), Crate("mm", New, [])], new Dictionary<string, string>()).Commits;
        var commits = GitBatch.Commits(planned, mostAlone);
        string.Join('|', commits.Select(commit => commit.Message)).ShouldBe(messages);
        commits.SelectMany(commit => commit.Upserts).Select(file => file.Path).ShouldBe(["2/zz", "2/aa", "2/mm"]);
    }

    [Fact]
    public void The_message_of_a_batch_names_a_thousand_changes_and_counts_the_rest()
    {
        var message = CommitMessage.ForBatch([.. Enumerable.Range(0, 1002).Select(i => $"Create crate `c{i}`")]);
        message.ShouldStartWith("Change 1002 crates\n\nCreate crate `c0`\n");
        message.ShouldEndWith("\nCreate crate `c999`\nand 2 more");
    }

    [Fact]
    public void A_crate_that_the_index_does_not_show_touches_nothing()
    {
        var hidden = new LaggingCrate(1, "Foo-Bar", 1, 1, 0, null, null, [], []);
        GitBatch.Paths([hidden]).ShouldBeEmpty();
        GitBatch.Plan([hidden], new Dictionary<string, string> { ["fo/o-/foo-bar"] = "x" }).Equal.ShouldBe([hidden]);
    }

    private static LaggingCrate Crate(string name, string? content, IReadOnlyList<string> former) =>
        new(1, name, 1, 1, 0, IndexPath.Of(name), content is null ? null : Encoding.UTF8.GetBytes(content), former, []);
}
