/** One record of comma- or semicolon-separated values (RFC 4180 without line breaks inside a field). */
export function csvFields(line: string, separator: string): string[] {
  const fields: string[] = [];
  let at = 0;
  while (at <= line.length) {
    if (line[at] === '"') {
      let text = '';
      at++;
      while (at < line.length) {
        const quote = line.indexOf('"', at);
        const end = quote === -1 ? line.length : quote;
        text += line.slice(at, end);
        at = end + 1;
        if (line[at] !== '"') break;
        // A doubled quote is one.
        text += '"';
        at++;
      }
      fields.push(text);
      const next = line.indexOf(separator, at);
      if (next === -1) break;
      at = next + 1;
    } else {
      const next = line.indexOf(separator, at);
      fields.push(line.slice(at, next === -1 ? line.length : next));
      if (next === -1) break;
      at = next + 1;
    }
  }
  return fields;
}
