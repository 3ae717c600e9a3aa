using System.Net;
using System.Text.Json;
using Pipeline.Tests.Chaos.Shapes;
using Pipeline.Tests.Generating;
using Pipeline.Tests.Serving;

namespace Pipeline.Tests.Chaos.Workload;

/// <summary>Does steps as a publisher does: tries again while it knows nothing, and writes down what it is told.</summary>
internal sealed class Client(Fleet fleet, Account owner, Account stranger, Ledger ledger, Random random, CancellationToken ended)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Does one.</summary>
    public async Task DoAsync(Step step)
    {
        switch (step.Kind)
        {
            case StepKind.PublishTwice:
                foreach (var upload in await Task.WhenAll(PublishAsync(step.Crate, owner), PublishAsync(step.Crate, owner))) MustBe(upload, Told.Accepted);
                break;
            case StepKind.Race:
                Decide(await Task.WhenAll(PublishAsync(step.Crate, owner), PublishAsync(step.Other!, owner)));
                break;
            case StepKind.GoAway:
                await GoAwayAsync(step.Crate);
                break;
            case StepKind.Refused:
                MustBe(await PublishAsync(step.Crate, step.ByStranger ? stranger : owner), Told.Refused);
                break;
            case StepKind.Yank or StepKind.Unyank:
                await YankAsync(step.Crate, step.Kind == StepKind.Yank);
                break;
            default:
                MustBe(await PublishAsync(step.Crate, owner, later: step.Kind == StepKind.PublishLater), Told.Accepted);
                break;
        }
    }

    private void Decide(Upload[] racers)
    {
        foreach (var racer in racers) ledger.Note(racer);
        if (racers.Any(racer => racer.Told == Told.Unknown)) return;
        if (racers.Count(racer => racer.Told == Told.Accepted) != 1)
            ledger.NoteWrong($"of two uploads of {racers[0].Crate.Name} {racers[0].Crate.Version} at once, {racers.Count(racer => racer.Told == Told.Accepted)} were accepted: {racers[0].Detail}; {racers[1].Detail}");
    }

    private void MustBe(Upload upload, Told told)
    {
        ledger.Note(upload);
        if (upload.Told != told && upload.Told != Told.Unknown)
            ledger.NoteWrong($"{upload.Crate.Name} {upload.Crate.Version} must be {told} and was {upload.Told}: {upload.Detail}");
    }

    private async Task<Upload> PublishAsync(GeneratedCrate crate, Account by, bool later = false)
    {
        var upload = await TryPublishAsync(crate, by, later);
        ledger.NoteHeard($"PUT {crate.Name} {crate.Version}", null);
        return upload;
    }

    private async Task<Upload> TryPublishAsync(GeneratedCrate crate, Account by, bool later)
    {
        while (!ended.IsCancellationRequested)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, "/api/v1/crates/new") { Content = new ByteArrayContent(crate.Body) };
            request.Headers.TryAddWithoutValidation("Authorization", by.Token);
            if (later) request.Headers.TryAddWithoutValidation("Prefer", "respond-async");
            var heard = await SendAsync(request, Patience);
            ledger.NoteHeard($"PUT {crate.Name} {crate.Version}", $"{heard.Status} {heard.Answer}");
            if (heard is ({ } status, { } answer))
            {
                if (Detail(answer) is { } detail)
                {
                    if ((int)status < 500) return new Upload(crate, Told.Refused, null, detail);
                }
                else if (answer.TryGetProperty("publish", out var kept))
                {
                    // From here on it is the registry's word that it will be decided, and that it is known until then.
                    return await VerdictAsync(crate, kept.GetProperty("id").GetString()!);
                }
                else if (status == HttpStatusCode.OK)
                {
                    return new Upload(crate, Told.Accepted, null, null);
                }
            }

            await RestAsync();
        }

        return new Upload(crate, Told.Unknown, null, null);
    }

    /// <summary>Asks until the verdict stands.</summary>
    private async Task<Upload> VerdictAsync(GeneratedCrate crate, string id)
    {
        while (!ended.IsCancellationRequested)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/publishes/{id}");
            var heard = await SendAsync(request, Patience);
            ledger.NoteHeard($"PUT {crate.Name} {crate.Version}", $"kept as {id}; {heard.Status} {heard.Answer}");
            if (heard is ({ } status, { } answer))
            {
                if (status == HttpStatusCode.NotFound)
                {
                    ledger.NoteWrong($"{crate.Name} {crate.Version} was kept as {id}, and nobody knows that publish");
                    return new Upload(crate, Told.Unknown, id, null);
                }

                if (status == HttpStatusCode.OK && answer.GetProperty("publish").GetProperty("verdict") is { ValueKind: JsonValueKind.Object } verdict)
                {
                    return verdict.GetProperty("accepted").GetBoolean()
                        ? new Upload(crate, Told.Accepted, id, null)
                        : new Upload(crate, Told.Refused, id, verdict.GetProperty("detail").GetString());
                }
            }

            await RestAsync();
        }

        return new Upload(crate, Told.Unknown, id, null);
    }

    private async Task GoAwayAsync(GeneratedCrate crate)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/api/v1/crates/new") { Content = new ByteArrayContent(crate.Body) };
        request.Headers.TryAddWithoutValidation("Authorization", owner.Token);
        int wait;
        lock (random) wait = random.Next(1, 60);
        await SendAsync(request, TimeSpan.FromMilliseconds(wait));
        ledger.Note(new Upload(crate, Told.Unknown, null, null));
    }

    private async Task YankAsync(GeneratedCrate crate, bool yank)
    {
        while (!ended.IsCancellationRequested)
        {
            using var request = new HttpRequestMessage(yank ? HttpMethod.Delete : HttpMethod.Put, $"/api/v1/crates/{crate.Name}/{crate.Version}/{(yank ? "yank" : "unyank")}");
            request.Headers.TryAddWithoutValidation("Authorization", owner.Token);
            var heard = await SendAsync(request, Patience);
            ledger.NoteHeard($"yank {crate.Name} {crate.Version}", $"{heard.Status} {heard.Answer}");
            if (heard is ({ } status, { } answer))
            {
                if (status == HttpStatusCode.OK && Detail(answer) is null)
                {
                    ledger.NoteHeard($"yank {crate.Name} {crate.Version}", null);
                    ledger.NoteYank(crate, yank);
                    return;
                }

                if ((int)status < 500)
                {
                    ledger.NoteWrong($"the {(yank ? "yank" : "unyank")} of {crate.Name} {crate.Version} was answered {(int)status}: {Detail(answer)}");
                    return;
                }
            }

            await RestAsync();
        }
    }

    /// <summary>One request. Nothing: the connection broke, the time is over, or what came is no answer.</summary>
    private async Task<(HttpStatusCode? Status, JsonElement? Answer)> SendAsync(HttpRequestMessage request, TimeSpan patience)
    {
        using var giveUp = new CancellationTokenSource(patience);
        ledger.Sent();
        int? status = null;
        try
        {
            using var response = await fleet.Http.SendAsync(request, giveUp.Token);
            using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(giveUp.Token));
            status = (int)response.StatusCode;
            if (status == 500) ledger.NoteWrong($"{request.Method} {request.RequestUri} was answered 500");
            return (response.StatusCode, document.RootElement.Clone());
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or JsonException)
        {
            return (null, null);
        }
        finally
        {
            ledger.Answered(status);
        }
    }

    private static string? Detail(JsonElement answer) => answer.TryGetProperty("errors", out var errors) ? errors[0].GetProperty("detail").GetString() : null;

    private Task RestAsync()
    {
        int wait;
        lock (random) wait = random.Next(20, 250);
        return Task.Delay(wait, CancellationToken.None);
    }
}
