import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Random;

public class Snippet {
    // snippet
    record Event(Instant at, Random draw) {
        static Event of(Headers headers) {
            long ms = Long.parseLong(headers.getFirst("x-verbatim-clock-ms"));
            long seed = Long.parseUnsignedLong(headers.getFirst("x-verbatim-seed"));
            return new Event(Instant.ofEpochMilli(ms), new Random(seed));
        }
    }

    // end
    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        server.createContext("/", exchange -> {
            Event event = Event.of(exchange.getRequestHeaders());
            byte[] answer = (event.at().toEpochMilli() + " " + event.draw().nextInt()).getBytes();
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
        System.out.println("listening 127.0.0.1:" + server.getAddress().getPort());
    }
}
