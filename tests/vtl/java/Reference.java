import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.minidev.json.JSONArray;
import net.minidev.json.JSONObject;
import net.minidev.json.JSONValue;
import net.minidev.json.parser.JSONParser;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.VelocityEngine;
import org.apache.velocity.exception.ParseErrorException;
import org.apache.velocity.runtime.log.NullLogChute;

/**
 * Apache Velocity 1.7 as a child process: one JSON object a line in, one out.
 *
 * In: {"template": text, "context": {name: value}}; out: {"output": text}, {"syntax": message} or {"error": message}.
 * Values: a JSON object is a LinkedHashMap, a JSON array is a json-smart JSONArray (as out of JsonPath),
 * {"@list": [..]} is an ArrayList.
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
                answer.put("output", render(engine, template, (Map<?, ?>) request.get("context")));
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
}
