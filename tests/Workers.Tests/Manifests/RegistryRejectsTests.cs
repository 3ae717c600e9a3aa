using Pipeline.Contracts;

namespace Pipeline.Workers.Tests.Manifests;

public class RegistryRejectsTests
{
    [Fact]
    public void What_the_database_refuses_is_worded_as_on_crates_io()
    {
        RegistryRejects.RecentlyDeleted("actix_web", new DateTimeOffset(2099, 12, 25, 13, 34, 56, 789, TimeSpan.FromHours(1))).Text.ShouldBe(
            "A crate with the name `actix_web` was recently deleted. Reuse of this name will be available after 2099-12-25T12:34:56Z.");
        RegistryRejects.ReservedName().Text.ShouldBe("cannot upload a crate with a reserved name");
        RegistryRejects.NotOwner().ShouldBe(new Reject(
            RejectCodes.NotOwner,
            403,
            "this crate exists but you don't seem to be an owner. " +
            "If you believe this is a mistake, perhaps you need to accept an invitation to be an owner before publishing."));
        RegistryRejects.PreviouslyNamed("foo_bar").Text.ShouldBe("crate was previously named `foo_bar`");
        RegistryRejects.TooManyVersionsToday().Status.ShouldBe(429);
        RegistryRejects.AlreadyUploaded("1.0.0-beta.1").Text.ShouldBe("crate version `1.0.0-beta.1` is already uploaded");
        RegistryRejects.UnknownCrate("nope").Text.ShouldBe("no known crate named `nope`");
        RegistryRejects.UnknownCategories(["a", "b"]).Text.ShouldBe(
            "The following category slugs are not currently supported on this registry: a, b");
    }
}
