import com.jayway.jsonpath.Configuration;
import com.jayway.jsonpath.JsonPath;
import com.jayway.jsonpath.PathNotFoundException;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringWriter;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.minidev.json.JSONArray;
import net.minidev.json.JSONObject;
import net.minidev.json.JSONStyle;
import net.minidev.json.JSONValue;
import net.minidev.json.parser.JSONParser;
import org.apache.commons.lang.StringEscapeUtils;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.VelocityEngine;
import org.apache.velocity.exception.ParseErrorException;
import org.apache.velocity.runtime.log.NullLogChute;

/**
 * Apache Velocity 1.7 as a child process: one JSON object a line in, one out.
 *
 * In: {"template": text, "variables": {name: value}}; out: {"output": text}, {"syntax": message} or {"error": message}.
 * Values: a JSON object is a LinkedHashMap, a JSON array is a json-smart JSONArray (as out of JsonPath),
 * {"@list": [..]} is an ArrayList, {"@input": body, "parameters": {..}} is an Input, {"@util": 1} is a Util.
 */
public class Reference {
    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        VelocityEngine shared = engine();
        String line;
        while ((line = in.readLine()) != null) {
            JSONParser parser = new JSONParser(JSONParser.MODE_PERMISSIVE);
            Map<?, ?> request = (Map<?, ?>) parser.parse(line, JSONValue.defaultReader.DEFAULT_ORDERED);
            String template = (String) request.get("template");
            // A macro stays with its engine, so a template that defines one gets an engine of its own.
            VelocityEngine engine = template.contains("macro") ? engine() : shared;
            JSONObject answer = new JSONObject();
            try {
                answer.put("output", render(engine, template, (Map<?, ?>) request.get("variables")));
            } catch (ParseErrorException error) {
                answer.put("syntax", String.valueOf(error.getMessage()));
            } catch (Throwable error) {
                answer.put("error", String.valueOf(error));
            }
            out.println(answer.toJSONString());
        }
    }

    private static VelocityEngine engine() {
        VelocityEngine engine = new VelocityEngine();
        engine.setProperty("runtime.log.logsystem.class", NullLogChute.class.getName());
        engine.setProperty("velocimacro.library", "");
        engine.init();
        return engine;
    }

    private static String render(VelocityEngine engine, String template, Map<?, ?> variables) {
        VelocityContext context = new VelocityContext();
        for (Map.Entry<?, ?> each : variables.entrySet()) {
            context.put((String) each.getKey(), value(each.getValue()));
        }
        StringWriter writer = new StringWriter();
        engine.evaluate(context, writer, "template", template);
        return writer.toString();
    }

    private static Object value(Object given) {
        if (given instanceof Map) {
            Map<?, ?> map = (Map<?, ?>) given;
            if (map.containsKey("@list")) {
                return values((List<?>) map.get("@list"), new ArrayList<Object>());
            }
            if (map.containsKey("@input")) {
                return new Input((String) map.get("@input"), (Map<?, ?>) value(map.get("parameters")));
            }
            if (map.containsKey("@util")) {
                return new Util();
            }
            Map<String, Object> result = new LinkedHashMap<String, Object>();
            for (Map.Entry<?, ?> each : map.entrySet()) {
                result.put((String) each.getKey(), value(each.getValue()));
            }
            return result;
        }
        return given instanceof List ? values((List<?>) given, new JSONArray()) : given;
    }

    private static <T extends List<Object>> T values(List<?> given, T result) {
        for (Object each : given) {
            result.add(value(each));
        }
        return result;
    }

    /** A stand-in for $input, with the JsonPath that AWS's documentation names. */
    public static class Input {
        private final String body;
        private final Object document;
        private final Map<?, ?> parameters;

        Input(String body, Map<?, ?> parameters) {
            this.body = body;
            this.document = Configuration.defaultConfiguration().jsonProvider().parse(body);
            this.parameters = parameters;
        }

        public String getBody() {
            return body;
        }

        public Object path(String path) {
            try {
                return JsonPath.read(document, path);
            } catch (PathNotFoundException missing) {
                return null;
            }
        }

        public String json(String path) {
            Object found = path(path);
            if (found == null) {
                return "\"\"";
            }
            return found instanceof Map || found instanceof List
                ? Configuration.defaultConfiguration().jsonProvider().toJson(found)
                : JSONValue.toJSONString(found, JSONStyle.LT_COMPRESS);
        }

        public Object params() {
            return parameters;
        }

        public Object params(String name) {
            for (Object place : parameters.values()) {
                if (((Map<?, ?>) place).containsKey(name)) {
                    return ((Map<?, ?>) place).get(name);
                }
            }
            return "";
        }
    }

    /** A stand-in for $util. */
    public static class Util {
        public String escapeJavaScript(String text) {
            return StringEscapeUtils.escapeJavaScript(text);
        }

        public String urlEncode(String text) throws Exception {
            return text == null ? null : URLEncoder.encode(text, "UTF-8");
        }

        public String urlDecode(String text) throws Exception {
            return text == null ? null : URLDecoder.decode(text, "UTF-8");
        }

        public String base64Encode(String text) {
            return text == null ? null : Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
        }

        public String base64Decode(String text) {
            return text == null ? null : new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
        }

        public Object parseJson(String text) throws Exception {
            return new JSONParser(JSONParser.MODE_PERMISSIVE).parse(text, JSONValue.defaultReader.DEFAULT_ORDERED);
        }
    }
}
