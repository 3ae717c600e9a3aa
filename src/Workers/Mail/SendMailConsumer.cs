using MassTransit;
using Pipeline.Contracts.Notices;
using Pipeline.Registry.Database;
using Pipeline.Registry.Options;
using Pipeline.Registry.Telemetry;

namespace Pipeline.Workers.Mail;

/// <summary>Sends a mail to the operators.</summary>
/// <remarks>
/// Triggered by: <see cref="SendMail"/>, from who wrote the mail, or from the sweep.
/// Produces: one mail to all operators; its row's time of sending.
/// Safe to repeat because: a mail that is noted as sent is not sent again; one that is sent twice has the same Message-ID.
/// Ordered/locked by: nothing.
/// May run in parallel: yes.
/// </remarks>
public sealed class SendMailConsumer(IDatabase database, MailOptions options, MailSender sender) : IConsumer<SendMail>
{
    /// <inheritdoc/>
    public async Task Consume(ConsumeContext<SendMail> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var mail = await database.ReadAsync(sql => MailRows.FindAsync(sql, context.Message.Id), context.CancellationToken).ConfigureAwait(false);
        if (mail is null || !options.IsOn)
        {
            context.Run().Outcome = StageRun.Nothing;
            return;
        }

        await sender.SendAsync(mail, context.CancellationToken).ConfigureAwait(false);
        await database.WriteAsync(sql => MailRows.SentAsync(sql, mail.Id), CancellationToken.None).ConfigureAwait(false);
    }
}
