using System.Globalization;
using System.Net;
using System.Net.Mail;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Pipeline.Registry.Failures;
using Pipeline.Registry.Options;

namespace Pipeline.Workers.Mail;

/// <summary>The one place that speaks SMTP: one connection per mail, never longer than the time limit.</summary>
public sealed class MailSender(MailOptions options)
{
    /// <summary>Sends one mail to all operators.</summary>
    /// <param name="mail">The mail.</param>
    /// <param name="cancellationToken">Ends the wait; the server may have taken it.</param>
    /// <exception cref="TransientException">It was not taken: codes <c>mail-away</c>, <c>mail-refused</c>.</exception>
    public async Task SendAsync(WaitingMail mail, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(mail);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(options.TimeoutSeconds));
        using var client = new SmtpClient(options.Host, options.Port) { EnableSsl = options.Tls == MailTls.StartTls, DeliveryMethod = SmtpDeliveryMethod.Network };
        if (options is { User: { } user, Password: { } password }) client.Credentials = new NetworkCredential(user, password.Reveal());
        using var message = Message(mail);
        try
        {
            await client.SendMailAsync(message, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Without its cause: the bus would take it for its own cancellation.
            throw new TransientException("mail-away", string.Create(CultureInfo.InvariantCulture, $"the mail server did not take the mail within {options.TimeoutSeconds} s"));
        }
        catch (SmtpException e) when (e.InnerException is IOException or SocketException or AuthenticationException)
        {
            throw new TransientException("mail-away", $"the mail server cannot be reached: {e.InnerException.Message}", e);
        }
        catch (SmtpException e)
        {
            throw new TransientException("mail-refused", $"the mail server refused ({e.StatusCode}): {e.Message}", e);
        }
    }

    private MailMessage Message(WaitingMail mail)
    {
        var message = new MailMessage
        {
            From = new MailAddress(options.From!),
            Subject = mail.Subject,
            SubjectEncoding = Encoding.UTF8,
            Body = mail.Body,
            BodyEncoding = Encoding.UTF8,
        };
        foreach (var to in options.To) message.To.Add(new MailAddress(to));
        // The same for every try, so that a mail which was taken twice is shown once.
        message.Headers.Add("Message-ID", string.Create(CultureInfo.InvariantCulture, $"<pipeline-{mail.Id}@{message.From.Host}>"));
        message.Headers.Add("Auto-Submitted", "auto-generated");
        return message;
    }
}
