using Pipeline.Contracts;
using Pipeline.Registry.Bus.RabbitMq;

namespace Pipeline.Registry.Tests.Bus;

public sealed class RabbitMqAddressTests
{
    [Theory]
    [InlineData("amqp://me:secret@broker:5673/", "rabbitmq://broker:5673/", "/", false)]
    [InlineData("amqp://me:secret@broker", "rabbitmq://broker:5672/", "/", false)]
    [InlineData("amqps://me:secret@broker/registry", "rabbitmq://broker:5671/registry", "registry", true)]
    [InlineData("amqp://me:secret@broker/a%2Fb", "rabbitmq://broker:5672/a%2Fb", "a/b", false)]
    public void An_AMQP_URL_is_taken_apart(string url, string endpoint, string host, bool tls)
    {
        var address = RabbitMqAddress.Parse(new Secret(url));

        (address.Endpoint.AbsoluteUri, address.VirtualHost, address.User, address.Password.Reveal(), address.UseTls).ShouldBe((endpoint, host, "me", "secret", tls));
    }

    [Fact]
    public void User_and_password_are_unescaped() => RabbitMqAddress.Parse(new Secret("amqp://m%40e:s%3A%2Fx@broker/")).Password.Reveal().ShouldBe("s:/x");

    [Theory]
    [InlineData("marked-password")]
    [InlineData("http://me:marked-password@broker/")]
    [InlineData("amqp://marked-password@broker/")]
    [InlineData("amqp:///marked-password")]
    public void What_is_none_is_refused_without_being_repeated(string url) =>
        Should.Throw<InvalidOperationException>(() => RabbitMqAddress.Parse(new Secret(url))).Message.ShouldNotContain("marked-password");
}
