using System.Diagnostics;
using Pipeline.Bench.Measuring;
using Pipeline.Bench.Publishing;

namespace Pipeline.Bench.Reads;

/// <summary>nginx over a folder of files, set as one sets it to serve files fast: what the server is compared with.</summary>
internal sealed class NginxServer : IDisposable
{
    private readonly Process _process;
    private readonly ProcessCpu _cpu;

    /// <summary>Starts it and returns once it serves.</summary>
    /// <param name="folder">A folder of its own.</param>
    /// <param name="files">The folder that it serves; a file's gzip form lies beside it.</param>
    public NginxServer(string folder, string files)
    {
        Port = ServerProcess.FreePort();
        Directory.CreateDirectory(folder);
        var configuration = Path.Combine(folder, "nginx.conf");
        File.WriteAllText(configuration, $$"""
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            daemon off;
            worker_processes {{Environment.ProcessorCount}};
            pid {{folder}}/pid;
            error_log {{folder}}/error.log;
            events { worker_connections 1024; }
            http {
                access_log off;
                sendfile on;
                tcp_nopush on;
                keepalive_requests 1000000000;
                keepalive_timeout 1h;
                client_body_temp_path {{folder}}/body;
                proxy_temp_path {{folder}}/proxy;
                fastcgi_temp_path {{folder}}/fastcgi;
                uwsgi_temp_path {{folder}}/uwsgi;
                scgi_temp_path {{folder}}/scgi;
                default_type text/plain;
                server {
                    listen 127.0.0.1:{{Port}};
                    root {{files}};
                    gzip_static on;
                    gzip_vary on;
                }
            }
            """);
        _process = Process.Start(new ProcessStartInfo("nginx", ["-e", Path.Combine(folder, "error.log"), "-p", folder, "-c", configuration]))!;
        _cpu = new ProcessCpu(_process.Id);
        Wait(folder);
    }

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>The CPU seconds of it and its workers so far.</summary>
    public double CpuSeconds() => _cpu.Seconds();

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Wait(string folder)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                new HttpConnection(Port).Dispose();
                return;
            }
            catch (System.Net.Sockets.SocketException) when (tries < 100 && !_process.HasExited)
            {
                Thread.Sleep(50);
            }
            catch (System.Net.Sockets.SocketException e)
            {
                throw new InvalidOperationException($"nginx did not start: {File.ReadAllText(Path.Combine(folder, "error.log"))}", e);
            }
        }
    }
}
