namespace Pipeline.Contracts.Notices;

/// <summary>Bell for a mail to the operators: its row has the text.</summary>
/// <param name="Id">The row in <c>mails</c>.</param>
public sealed record SendMail(long Id);
