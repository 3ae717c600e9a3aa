using System.ComponentModel;
using System.Text.Json;

namespace Pipeline.Contracts.Tests;

public class IdentifierTests
{
    private const string EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public void A_checksum_is_the_SHA_256_in_lower_hex()
    {
        var checksum = Checksum.OfContent([]);
        checksum.ToString().ShouldBe(EmptyHash);
        Checksum.TryParse(EmptyHash, out var parsed).ShouldBeTrue();
        parsed.ShouldBe(checksum);
        Checksum.FromBytes(checksum.ToBytes()).ShouldBe(checksum);
        Checksum.OfContent("x"u8).ShouldNotBe(checksum);
    }

    [Theory]
    [InlineData("")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8555")]
    [InlineData("E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    public void A_checksum_has_one_spelling(string text) => Checksum.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void A_checksum_of_another_length_is_refused() => Should.Throw<ArgumentException>(() => Checksum.FromBytes(new byte[31]));

    [Fact]
    public void Publish_ids_are_UUIDv7_and_sort_by_time()
    {
        var at = DateTimeOffset.UnixEpoch.AddDays(20_000);
        var (early, late) = (PublishId.New(at), PublishId.New(at.AddMilliseconds(1)));
        (early < late).ShouldBeTrue();
        string.CompareOrdinal(early.ToString(), late.ToString()).ShouldBeLessThan(0);
        early.Value.Version.ShouldBe(7);
        PublishId.Parse(early.ToString()).ShouldBe(early);
        PublishId.New().ShouldNotBe(PublishId.New());
    }

    [Theory]
    [InlineData("")]
    [InlineData("not-an-id")]
    [InlineData("018F3B2C-0000-7000-8000-000000000000")]
    [InlineData("018f3b2c00007000800000000000000a")]
    [InlineData("018f3b2c-0000-4000-8000-000000000000")]
    [InlineData(" 018f3b2c-0000-7000-8000-000000000000")]
    public void A_publish_id_has_one_spelling(string text) => PublishId.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Values_travel_through_JSON_as_their_text()
    {
        var message = new Message(
            PublishId.Parse("018f3b2c-0000-7000-8000-00000000000a"),
            Checksum.Parse(EmptyHash),
            CrateName.FromStored("Foo-bar"),
            CanonicalName.Of("Foo-bar"),
            CrateVersion.Parse("1.0.0+b"),
            VersionRequirement.Parse("1"));
        var json = JsonSerializer.Serialize(message);
        JsonDocument.Parse(json).RootElement.EnumerateObject().Select(member => member.Value.GetString())
            .ShouldBe(["018f3b2c-0000-7000-8000-00000000000a", EmptyHash, "Foo-bar", "foo_bar", "1.0.0+b", "^1"]);
        JsonSerializer.Deserialize<Message>(json).ShouldBe(message);
    }

    [Theory]
    [InlineData("\"nope\"")]
    [InlineData("7")]
    [InlineData("{}")]
    public void JSON_that_holds_no_such_value_is_an_error(string json)
    {
        Should.Throw<JsonException>(() => JsonSerializer.Deserialize<PublishId>(json));
        Should.Throw<JsonException>(() => JsonSerializer.Deserialize<CrateVersion>(json));
    }

    [Fact]
    public void A_secret_does_not_print_itself()
    {
        var secret = new Secret("hunter2");
        secret.ToString().ShouldBe("***");
        $"{secret}".ShouldBe("***");
        JsonSerializer.Serialize(new { secret }).ShouldBe("""{"secret":"***"}""");
        TypeDescriptor.GetConverter(typeof(Secret)).ConvertToString(secret).ShouldBe("***");
        secret.Reveal().ShouldBe("hunter2");
    }

    [Fact]
    public void A_secret_is_read_from_configuration_like_a_string()
    {
        var converter = TypeDescriptor.GetConverter(typeof(Secret));
        converter.CanConvertFrom(typeof(string)).ShouldBeTrue();
        ((Secret)converter.ConvertFrom("hunter2")!).Reveal().ShouldBe("hunter2");
        JsonSerializer.Deserialize<Secret>("\"hunter2\"")!.Reveal().ShouldBe("hunter2");
    }

    private sealed record Message(
        PublishId Id,
        Checksum Checksum,
        CrateName Name,
        CanonicalName Canonical,
        CrateVersion Version,
        VersionRequirement Requirement);
}
