/** Turns a JSON line of the log into a line for people: `13:47:14 info  request method=POST route=/order status=409 code=quote-used`. */
export const prettyLine = (json: string): string => {
  const { time, level, event, instance: _instance, ...fields } = JSON.parse(json) as Record<string, string | number | boolean>;
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${/[\s"=]/.test(String(value)) ? JSON.stringify(value) : String(value)}`);
  return [String(time).slice(11, 19), String(level).padEnd(5), event, ...shown].join(' ');
};
