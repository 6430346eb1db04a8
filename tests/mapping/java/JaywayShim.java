import com.jayway.jsonpath.Configuration;
import com.jayway.jsonpath.InvalidJsonException;
import com.jayway.jsonpath.JsonPath;
import com.jayway.jsonpath.PathNotFoundException;
import com.jayway.jsonpath.spi.json.JsonProvider;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import net.minidev.json.JSONArray;
import net.minidev.json.JSONObject;
import net.minidev.json.JSONStyle;
import net.minidev.json.JSONValue;

/** Answers {"path", "document"} lines with what Jayway's JsonPath makes of them, in its default configuration. */
public class JaywayShim {
    private static final JsonProvider PROVIDER = Configuration.defaultConfiguration().jsonProvider();

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JSONObject question = (JSONObject) JSONValue.parse(line);
            JSONObject answer = new JSONObject();
            try {
                answer(question, answer);
            } catch (Throwable error) {
                answer.put("kind", "broken");
                answer.put("error", error.toString());
            }
            out.println(answer.toJSONString());
            out.flush();
        }
    }

    private static void answer(JSONObject question, JSONObject answer) {
        Object document;
        try {
            document = PROVIDER.parse((String) question.get("document"));
        } catch (InvalidJsonException | NumberFormatException error) {
            answer.put("kind", "malformed");
            answer.put("error", String.valueOf(error.getMessage()));
            return;
        }
        JsonPath path;
        try {
            path = JsonPath.compile((String) question.get("path"));
        } catch (RuntimeException error) {
            answer.put("kind", "invalid");
            answer.put("error", String.valueOf(error.getMessage()));
            return;
        }
        answer.put("definite", path.isDefinite());
        try {
            Object value = path.read(document, Configuration.defaultConfiguration());
            answer.put("kind", "value");
            answer.put("text", text(value, JSONStyle.LT_COMPRESS));
            answer.put("printed", text(value, JSONStyle.NO_COMPRESS));
        } catch (PathNotFoundException error) {
            answer.put("kind", "missing");
            answer.put("error", String.valueOf(error.getMessage()));
        } catch (RuntimeException | StackOverflowError error) {
            answer.put("kind", "failed");
            answer.put("error", error.toString());
        }
    }

    private static String text(Object value, JSONStyle style) {
        if (value instanceof Collection && !(value instanceof List)) {
            value = new ArrayList<Object>((Collection<?>) value);
        }
        if (value instanceof Map) {
            return JSONObject.toJSONString((Map<String, ?>) value, style);
        }
        if (value instanceof List) {
            return JSONArray.toJSONString((List<?>) value, style);
        }
        return JSONValue.toJSONString(value, style);
    }
}
