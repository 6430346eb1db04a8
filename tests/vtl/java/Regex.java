import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Pattern;

/**
 * java.util.regex as a child process: one line of base64 fields in (operation, pattern, text, argument), one line out:
 * the result's parts in base64, or `!` for an exception.
 */
public class Regex {
    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream out = new PrintStream(System.out, true, "US-ASCII");
        String line;
        while ((line = in.readLine()) != null) {
            String[] fields = line.split(" ", -1);
            for (int at = 0; at < fields.length; at++) {
                fields[at] = new String(Base64.getDecoder().decode(fields[at]), StandardCharsets.UTF_16BE);
            }
            String answer;
            try {
                answer = told(result(fields[0], fields[1], fields[2], fields[3]));
            } catch (RuntimeException | StackOverflowError error) {
                answer = "!";
            }
            out.println(answer);
        }
    }

    private static String[] result(String operation, String pattern, String text, String argument) {
        switch (operation) {
            case "matches":
                return new String[] {String.valueOf(text.matches(pattern))};
            case "find":
                return new String[] {String.valueOf(Pattern.compile(pattern).matcher(text).find())};
            case "replaceAll":
                return new String[] {text.replaceAll(pattern, argument)};
            case "replaceFirst":
                return new String[] {text.replaceFirst(pattern, argument)};
            default:
                return text.split(pattern, Integer.parseInt(argument));
        }
    }

    private static String told(String[] parts) {
        StringBuilder line = new StringBuilder("=");
        for (String part : parts) {
            line.append(' ').append(Base64.getEncoder().encodeToString(part.getBytes(StandardCharsets.UTF_16BE)));
        }
        return line.toString();
    }
}
