import { RulesetError } from './nft-rules.ts';

export interface Token {
  /** Without the quotes of a text. */
  text: string;
  line: number;
  /** `end` is a line end or a semicolon. */
  kind: 'word' | 'text' | 'mark' | 'end';
}

/** Rulesets of large hosts have some hundred thousand words. */
const maxTokens = 4_000_000;

/** Words, quoted texts, the marks { } , = and ends of statements; comments are left out. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  // One alternative per token, none of which can match the same characters in two ways.
  const pattern =
    /(?<space>[ \t\r]+|\\\r?\n)|(?<comment>#[^\n]*)|(?<newline>\n)|"(?<quoted>[^"\n]*)"|(?<mark>[{},=])|(?<semicolon>;)|(?<word>[=!<>]=|[<>!]|[^\s{},;"#=\\<>!]+)|(?<other>[^])/gy;
  let line = 1;
  for (const { groups = {}, 0: whole } of text.matchAll(pattern)) {
    const { newline, quoted, mark, semicolon, word, other } = groups;
    if (other !== undefined) throw new RulesetError(`found ${JSON.stringify(other)} where a word can begin`, line);
    if (newline !== undefined || semicolon !== undefined) tokens.push({ text: whole, line, kind: 'end' });
    else if (quoted !== undefined) tokens.push({ text: quoted, line, kind: 'text' });
    else if (mark !== undefined) tokens.push({ text: mark, line, kind: 'mark' });
    else if (word !== undefined) tokens.push({ text: word, line, kind: 'word' });
    if (tokens.length > maxTokens) throw new RulesetError(`has more than ${maxTokens} words`, line);
    if (whole.includes('\n')) line++;
  }
  return tokens;
}
