/** How the bytes of a text were read. */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'cp850';

/** Longest line that is kept, characters; what is beyond is cut off and told. JSON documents on one line are long. */
export const MAX_LINE = 16_000_000;

/** Upper half of code page 850, in which Windows consoles of western Europe write. */
const CP850 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0';

export interface LineSplitter {
  /** Takes bytes; calls back with each line that is complete, without its end. */
  push(bytes: Uint8Array): void;
  /** Gives out a last line without an end. */
  end(): void;
  /** Known once the first bytes have come. */
  encoding(): Encoding;
}

/**
 * Cuts bytes into lines. A byte order mark, or the zeros of ASCII in UTF-16, say UTF-16 (what PowerShell's `>` writes); else
 * each line is UTF-8 or, when it is not, code page 850. Line ends are LF, CRLF or CR; memory is bounded by the longest line kept.
 */
export function splitLines(emit: (line: string, cut: boolean) => void): LineSplitter {
  let encoding: Encoding | null = null;
  let wide: InstanceType<typeof TextDecoder> | null = null;
  let held: string[] = [];
  let heldLength = 0;
  let isCut = false;
  const give = (line: string) => {
    emit(wide ? line : fromBytes(line), isCut);
    isCut = false;
  };
  const fromBytes = (line: string): string => {
    if (!/[\u0080-\u00ff]/.test(line)) return line;
    const bytes = Buffer.from(line, 'latin1');
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      encoding = 'cp850';
      return line.replace(/[\u0080-\u00ff]/g, (c) => CP850[c.charCodeAt(0) - 0x80] ?? c);
    }
  };
  const hold = (text: string) => {
    held.push(isCut ? '' : text.slice(0, MAX_LINE - heldLength));
    heldLength += text.length;
    isCut ||= heldLength > MAX_LINE;
  };
  const take = (text: string) => {
    // Most of a long line comes in pieces without an end: they are joined once, not at every piece.
    if (!/[\r\n]/.test(text) && !held.at(-1)?.endsWith('\r')) {
      hold(text);
      return;
    }
    const lines = (held.join('') + text).split(/\r\n|\n|\r(?!$)/);
    held = [];
    heldLength = 0;
    const rest = lines.pop() ?? '';
    for (const line of lines) give(line);
    hold(rest);
  };
  return {
    push: (bytes) => {
      let body = bytes;
      if (encoding === null) {
        encoding = encodingOf(bytes);
        if (encoding === 'utf-8' && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
          body = bytes.subarray(3);
        if (encoding !== 'utf-8') wide = new TextDecoder(encoding);
      }
      take(wide ? wide.decode(body, { stream: true }) : Buffer.from(body).toString('latin1'));
    },
    end: () => {
      const last = (held.join('') + (wide ? wide.decode() : '')).replace(/\r$/, '');
      if (last !== '') give(last);
    },
    encoding: () => encoding ?? 'utf-8',
  };
}

function encodingOf(bytes: Uint8Array): Encoding {
  const [a = 1, b = 1, c = 1, d = 1] = bytes;
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (b === 0 && d === 0 && a !== 0) return 'utf-16le';
  return a === 0 && c === 0 && b !== 0 ? 'utf-16be' : 'utf-8';
}
