using System.Net;
using System.Net.Sockets;
using System.Text;
using Pipeline.Contracts;
using Pipeline.Contracts.Notices;
using Pipeline.Registry.Options;
using Pipeline.Tests.Services;
using Pipeline.Workers.Mail;
using Pipeline.Workers.Tests.Harness;

namespace Pipeline.Workers.Tests.Mail;

/// <summary>Mails to operators, through a real SMTP server.</summary>
public sealed class SendMailConsumerTests
{
    [Fact]
    public async Task A_mail_reaches_every_operator_once_though_its_bell_comes_twice()
    {
        var services = await RealServices.SharedAsync("smtp");
        var subject = $"Wie schön, {Guid.NewGuid():N}";
        await using var harness = await StartAsync(Options(services));
        var id = await WriteAsync(harness, subject, "first line\n.\nlast line\n");

        await harness.DeliverAsync(new SendMail(id));
        await harness.DeliverAsync(new SendMail(id));

        var mail = Received(services, id, subject).ShouldHaveSingleItem();
        mail.ShouldContain("X-RcptTo: one@example.org, two@example.org");
        mail.ShouldContain("From: registry@example.org");
        mail.ShouldContain($"Message-ID: <pipeline-{id}@example.org>");
        Encoding.UTF8.GetString(Convert.FromBase64String(mail[mail.IndexOf("\n\n", StringComparison.Ordinal)..])).ReplaceLineEndings("\n").TrimEnd().ShouldBe("first line\n.\nlast line");
        (await harness.LongAsync("SELECT COUNT(*) FROM mails WHERE sent_at IS NOT NULL")).ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_is_away_puts_the_mail_off_visibly_and_it_is_sent_when_the_server_is_back()
    {
        var services = await RealServices.SharedAsync("smtp");
        var subject = $"late {Guid.NewGuid():N}";
        await using var away = await StartAsync(Options(services) with { Port = ClosedPort() });
        var id = await WriteAsync(away, subject, "text");

        await away.DeliverAsync(new SendMail(id));

        (await away.FailuresAsync()).ShouldBe(["transient/mail-away"]);
        (await away.LongAsync("SELECT attempts FROM mails WHERE sent_at IS NULL AND next_try_at > now_us() - 1000000 AND last_error LIKE '%cannot be reached%'")).ShouldBe(1);

        await using var back = await WorkerHarness.StartAsync("send-mail", beside: away, mail: Options(services));
        await back.DeliverAsync(new SendMail(id));
        Received(services, id, subject).Count.ShouldBe(1);
        (await away.FailuresAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_that_cannot_encrypt_gets_neither_the_mail_nor_the_password()
    {
        var services = await RealServices.SharedAsync("smtp");
        var subject = $"secret {Guid.NewGuid():N}";
        await using var harness = await StartAsync(Options(services) with { Tls = MailTls.StartTls, User = "user", Password = new Secret("word") });
        var id = await WriteAsync(harness, subject, "text");

        await harness.DeliverAsync(new SendMail(id));

        (await harness.FailuresAsync()).ShouldBe(["transient/mail-refused"]);
        Received(services, id, subject).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_that_says_nothing_is_given_up_after_the_time_limit()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var harness = await StartAsync(new MailOptions
        {
            Host = "127.0.0.1",
            Port = ((IPEndPoint)silent.LocalEndpoint).Port,
            Tls = MailTls.None,
            From = "a@example.org",
            To = ["b@example.org"],
            TimeoutSeconds = 0.5,
        });
        var id = await WriteAsync(harness, "subject", "text");

        await harness.DeliverAsync(new SendMail(id));

        (await harness.FailuresAsync()).ShouldBe(["transient/mail-away"]);
    }

    [Fact]
    public async Task A_fault_of_ours_is_parked_and_visible()
    {
        await using var harness = await StartAsync(new MailOptions { Host = "127.0.0.1", From = "a@example.org", To = ["b@example.org"] });
        await harness.ExecuteAsync("ALTER TABLE mails RENAME COLUMN subject TO elsewhere");

        await harness.DeliverAsync(new SendMail(1));

        (await harness.FailuresAsync()).ShouldBe([$"fault/{WorkerHarness.DatabaseError}"]);
    }

    [Theory]
    [InlineData(null, "b@example.org", null, "Mail:From is no mail address")]
    [InlineData("a@example.org", null, null, "Mail:To names nobody")]
    [InlineData("a@example.org", "nobody", null, "Mail:To has an entry that is no mail address")]
    [InlineData("a@example.org", "b@example.org", "user", "Mail:Password must be given together with Mail:User, or neither")]
    [InlineData("a@example.org", "b@example.org", null, null)]
    public void A_configuration_that_cannot_work_stops_the_start(string? from, string? to, string? user, string? wrong)
    {
        var options = new MailOptions { Host = "mail.example.org", From = from, To = to is null ? [] : [to], User = user };

        if (wrong is null) options.Check();
        else Should.Throw<InvalidOperationException>(options.Check).Message.ShouldBe(wrong);
    }

    internal static MailOptions Options(RealServices services) => new()
    {
        Host = services["PIPELINE__Mail__Host"],
        Port = int.Parse(services["PIPELINE__Mail__Port"], System.Globalization.CultureInfo.InvariantCulture),
        Tls = MailTls.None,
        From = "registry@example.org",
        To = ["one@example.org", "two@example.org"],
    };

    /// <summary>The mails that the server took, of one row and subject: the server is shared.</summary>
    internal static List<string> Received(RealServices services, long id, string subject)
    {
        var box = Path.Combine(services.Folder, "smtp", "box", "new");
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(subject));
        return !Directory.Exists(box) ? [] : [.. Directory.GetFiles(box).Select(File.ReadAllText).Where(text =>
            text.Contains($"<pipeline-{id}@", StringComparison.Ordinal) && (text.Contains(subject, StringComparison.Ordinal) || text.Replace("?=\n =?utf-8?B?", "", StringComparison.Ordinal).Contains(encoded[..20], StringComparison.Ordinal)))];
    }

    private static Task<WorkerHarness> StartAsync(MailOptions options) => WorkerHarness.StartAsync("send-mail", mail: options);

    private static async Task<long> WriteAsync(WorkerHarness harness, string subject, string body) => (await harness.Database.WriteAsync(sql => MailRows.AddAsync(sql, subject, body)))!.Value;

    private static int ClosedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
