using System.Net;
using Pipeline.Registry.Outbound;

namespace Pipeline.Registry.Tests.Outbound;

public sealed class AddressRulesTests
{
    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("1.0.0.1", true)]
    [InlineData("172.15.255.255", true)]
    [InlineData("172.32.0.1", true)]
    [InlineData("223.255.255.254", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("127.255.255.254", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("198.19.0.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("240.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("::7f00:1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("ff02::1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("2001::1", false)]
    [InlineData("2002:7f00:1::", false)]
    public void Only_public_addresses_are_allowed(string address, bool allowed) => new AddressRules([], "Key").Allow(IPAddress.Parse(address)).ShouldBe(allowed);

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("10.2.0.1", false)]
    [InlineData("fd00::1", true)]
    [InlineData("8.8.8.8", true)]
    public void What_the_operator_allows_is_allowed_besides(string address, bool allowed) =>
        new AddressRules(["10.1.0.0/16", "fd00::/8"], "Key").Allow(IPAddress.Parse(address)).ShouldBe(allowed);

    [Fact]
    public void A_network_that_is_none_is_refused_by_the_name_of_its_key() =>
        Should.Throw<InvalidOperationException>(() => new AddressRules(["10.0.0.1/8x"], "Notices:AllowedNetworks")).Message.ShouldBe("Notices:AllowedNetworks: 10.0.0.1/8x is no network such as 10.0.0.0/8");
}
