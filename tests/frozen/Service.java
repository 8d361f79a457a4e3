// A service that was not written for verbatim: it takes the time from the system.
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;

public class Service {
    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        server.createContext("/", exchange -> {
            int octets = exchange.getRequestBody().readAllBytes().length;
            String answer = "{\"octets\":" + octets + ",\"received_ms\":" + System.currentTimeMillis()
                + ",\"second\":" + Instant.now().getEpochSecond() + "}";
            exchange.getResponseHeaders().set("content-type", "application/json");
            exchange.sendResponseHeaders(200, answer.length());
            exchange.getResponseBody().write(answer.getBytes());
            exchange.close();
        });
        server.start();
        System.out.println("listening 127.0.0.1:" + server.getAddress().getPort());
    }
}
