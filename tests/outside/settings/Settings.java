// Settings to paste, as three of Java's clients understand them. The story puts the pasted text where a name stands between
// at-signs and compiles this file; for each client and each address given, a line says what came of a call.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.Callable;
import okhttp3.Dispatcher;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.util.Timeout;

public class Settings {
    static int java(String address) throws Exception {
        @JAVA@
        HttpRequest one = request.uri(URI.create(address)).build();
        return client.send(one, HttpResponse.BodyHandlers.ofByteArray()).body().length;
    }

    static int okhttp(String address) throws Exception {
        @OKHTTP@
        try (Response response = client.newCall(new Request.Builder().url(address).build()).execute()) {
            return response.body().bytes().length;
        }
    }

    static int apache(String address) throws Exception {
        @APACHE@
        try (var client = HttpClients.custom().setConnectionManager(pool).setDefaultRequestConfig(requests).disableAutomaticRetries().build()) {
            return client.execute(new HttpGet(address), response -> EntityUtils.toByteArray(response.getEntity()).length);
        }
    }

    static void tell(String client, String address, Callable<Integer> call) {
        String outcome;
        long start = System.nanoTime();
        try {
            outcome = call.call() > 0 ? "answered" : "empty";
        } catch (Exception error) {
            outcome = "ended " + error;
        }
        System.out.println(client + "\t" + address + "\t" + (System.nanoTime() - start) / 1_000_000 + "\t" + outcome);
    }

    public static void main(String[] addresses) {
        for (String address : addresses) {
            tell("Java HttpClient", address, () -> java(address));
            tell("OkHttp", address, () -> okhttp(address));
            tell("Apache HttpClient 5", address, () -> apache(address));
        }
        System.exit(0);
    }
}
