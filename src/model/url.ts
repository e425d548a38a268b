/** What `model` needs of the WHATWG URL class, which is in Node and in browsers alike; the room has neither's types. */
interface ParsedUrl {
  protocol: string;
  hostname: string;
  port: string;
  username: string;
  password: string;
  searchParams: { keys(): Iterable<string> };
}
declare const URL: { new (text: string): ParsedUrl; canParse(text: string): boolean };

/** The parts of an absolute URL; undefined when the text is none. */
export function parseUrl(text: string): ParsedUrl | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
