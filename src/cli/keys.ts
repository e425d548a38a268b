/** Final part of an escape sequence → name of the key, as xterm and its kin send them. */
const sequences: Readonly<Record<string, string>> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  OA: 'up',
  OB: 'down',
  OC: 'right',
  OD: 'left',
  '[H': 'home',
  '[F': 'end',
  '[1~': 'home',
  '[4~': 'end',
  '[5~': 'pageup',
  '[6~': 'pagedown',
  '[Z': 'shift-tab',
  '[3~': 'delete',
};

const controls: Readonly<Record<string, string>> = {
  '\t': 'tab',
  '\r': 'enter',
  '\n': 'enter',
  ' ': 'space',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\u0003': 'ctrl-c',
  '\u000c': 'ctrl-l',
  '\u001a': 'ctrl-z',
};

/** A paste or a cat on the keyboard: more keys than this in one read are no wish of anybody. */
const maxKeys = 64;
/** Longest sequence that is waited for; a terminal sends nothing near this. */
const maxSequence = 16;

// oxlint-disable-next-line no-control-regex -- ESC is what a sequence begins with
const complete = /^\u001b(\[[0-9;?<=>]*[ -/]*[@-~]|O[@-~])/;
// oxlint-disable-next-line no-control-regex -- the same, cut off by the end of a read
const partial = /^\u001b(\[[0-9;?<=>]*[ -/]*|O)$/;

/**
 * Turns what a terminal sends in raw mode into names of keys. A sequence that a read cut in two is put together; an escape
 * at the end of a read is the escape key; sequences of no known key are left out.
 */
export function keyReader(): (chunk: string) => string[] {
  let rest = '';
  return (chunk) => {
    let text = rest + chunk;
    rest = '';
    const keys: string[] = [];
    while (text !== '' && keys.length < maxKeys) {
      const found = complete.exec(text)?.[0];
      if (found !== undefined) {
        const name = sequences[found.slice(1)];
        if (name !== undefined) keys.push(name);
        text = text.slice(found.length);
      } else if (text.length > 1 && text.length < maxSequence && partial.test(text)) {
        rest = text;
        break;
      } else {
        const char = String.fromCodePoint(text.codePointAt(0)!);
        const name = char === '\u001b' ? 'escape' : (controls[char] ?? (char >= ' ' ? char : undefined));
        if (name !== undefined) keys.push(name);
        text = text.slice(char.length);
      }
    }
    return keys;
  };
}
