import com.jayway.jsonpath.Configuration;
import com.jayway.jsonpath.JsonPath;
import com.jayway.jsonpath.spi.json.JsonProvider;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.PrintStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.minidev.json.JSONValue;
import org.apache.commons.lang.StringEscapeUtils;
import org.apache.velocity.Template;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.runtime.RuntimeInstance;
import org.apache.velocity.runtime.log.NullLogChute;

/** Apache Velocity 1.7, with the JsonPath that AWS's documentation names. The protocol is that of loop.py. */
public class Velocity {
    private static final int BATCH = 20;
    private static final Util UTIL = new Util();

    private final Template template;
    private final Map<String, String> path;
    private final String query;
    private final List<List<String>> headers;
    private final String body;
    private final Map<String, Object> stageVariables;
    private final Map<String, Object> context;

    @SuppressWarnings("unchecked")
    private Velocity(String template, Map<String, Object> sample) throws Exception {
        this.template = parsed(template);
        path = (Map<String, String>) sample.get("path");
        query = (String) sample.get("query");
        headers = (List<List<String>>) sample.get("headers");
        body = (String) sample.get("body");
        stageVariables = (Map<String, Object>) sample.get("stageVariables");
        context = (Map<String, Object>) sample.get("context");
    }

    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> sample = (Map<String, Object>) Input.JSON.parse(read(arguments[1]));
        Velocity velocity = new Velocity(read(arguments[0]), sample);
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        out.println("\"" + JSONValue.escape(velocity.render(velocity.variables())) + "\"");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            out.println(velocity.repeat(words[0].equals("request"), Double.parseDouble(words[1])));
        }
    }

    private static String read(String file) throws Exception {
        return new String(Files.readAllBytes(Paths.get(file)), StandardCharsets.UTF_8);
    }

    private static Template parsed(String text) throws Exception {
        RuntimeInstance runtime = new RuntimeInstance();
        runtime.setProperty("runtime.log.logsystem.class", NullLogChute.class.getName());
        runtime.setProperty("velocimacro.library", "");
        runtime.init();
        Template template = new Template();
        template.setRuntimeServices(runtime);
        template.setData(runtime.parse(new StringReader(text), "passthrough"));
        template.initDocument();
        return template;
    }

    private long repeat(boolean whole, double seconds) throws Exception {
        VelocityContext ready = variables();
        long end = System.nanoTime() + (long) (seconds * 1e9);
        long count = 0;
        long characters = 0;
        while (System.nanoTime() < end) {
            for (int turn = 0; turn < BATCH; turn++) {
                characters += render(whole ? variables() : ready).length();
            }
            count += BATCH;
        }
        // What nobody looks at, the compiler might leave out.
        return characters > 0 ? count : 0;
    }

    private VelocityContext variables() throws Exception {
        Map<String, Object> copy = new LinkedHashMap<String, Object>(context);
        copy.put("identity", new LinkedHashMap<Object, Object>((Map<?, ?>) context.get("identity")));
        VelocityContext variables = new VelocityContext();
        variables.put("input", new Input(body, parameters()));
        variables.put("util", UTIL);
        variables.put("stageVariables", new LinkedHashMap<String, Object>(stageVariables));
        variables.put("context", copy);
        return variables;
    }

    private String render(VelocityContext variables) throws Exception {
        StringWriter writer = new StringWriter(4096);
        template.merge(variables, writer);
        return writer.toString();
    }

    private Map<String, Object> parameters() throws Exception {
        Map<String, Object> labels = new LinkedHashMap<String, Object>();
        for (Map.Entry<String, String> label : path.entrySet()) {
            labels.put(label.getKey(), URLDecoder.decode(label.getValue(), "UTF-8"));
        }
        Map<String, Object> querystring = new LinkedHashMap<String, Object>();
        for (String pair : query.split("&")) {
            int equals = pair.indexOf('=');
            querystring.put(
                URLDecoder.decode(pair.substring(0, equals), "UTF-8"), URLDecoder.decode(pair.substring(equals + 1), "UTF-8"));
        }
        Map<String, Object> fields = new LinkedHashMap<String, Object>();
        for (List<String> header : headers) {
            fields.put(header.get(0), header.get(1));
        }
        Map<String, Object> places = new LinkedHashMap<String, Object>();
        places.put("path", labels);
        places.put("querystring", querystring);
        places.put("header", fields);
        return places;
    }

    /** $input */
    public static class Input {
        static final Configuration CONFIGURATION = Configuration.defaultConfiguration();
        static final JsonProvider JSON = CONFIGURATION.jsonProvider();
        private static final Map<String, JsonPath> PATHS = new HashMap<String, JsonPath>();

        private final Object document;
        private final Map<String, Object> parameters;

        Input(String body, Map<String, Object> parameters) {
            this.document = JSON.parse(body);
            this.parameters = parameters;
        }

        public String json(String path) {
            JsonPath compiled = PATHS.get(path);
            if (compiled == null) {
                compiled = JsonPath.compile(path);
                PATHS.put(path, compiled);
            }
            Object found = compiled.read(document, CONFIGURATION);
            return JSON.toJson(found);
        }

        public Map<String, Object> params() {
            return parameters;
        }
    }

    /** $util */
    public static class Util {
        public String escapeJavaScript(String text) {
            return StringEscapeUtils.escapeJavaScript(text);
        }
    }
}
