export interface Dot {
  x: number;
  y: number;
  radius: number;
  label: string;
}

export interface PlacedLabel {
  x: number;
  y: number;
  anchor: 'start' | 'middle' | 'end';
  label: string;
}

interface Rectangle {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Of the text of site labels, px; wide enough for system fonts. */
const [letterWidth, lineHeight] = [6.6, 13];

/**
 * Puts each label beside its dot where it covers no dot, no other label and not the edge; what finds no such place is left out,
 * since the tooltip still names it. The largest dots choose first.
 */
export function placeLabels(dots: readonly Dot[], width: number, height: number): PlacedLabel[] {
  const taken: Rectangle[] = dots.map(({ x, y, radius }) => box(x, y, radius, radius));
  const placed: PlacedLabel[] = [];
  for (const dot of dots.toSorted((a, b) => b.radius - a.radius)) {
    const found = around(dot).find(
      ({ area }) =>
        area.left >= 0 &&
        area.right <= width &&
        area.top >= 0 &&
        area.bottom <= height &&
        !taken.some((other) => overlap(area, other)),
    );
    if (!found) continue;
    taken.push(found.area);
    placed.push(found.label);
  }
  return placed;
}

function around({ x, y, radius, label }: Dot): { label: PlacedLabel; area: Rectangle }[] {
  const [wide, gap] = [label.length * letterWidth, radius + 3];
  const at = (anchor: PlacedLabel['anchor'], dx: number, dy: number) => {
    const left = x + dx - (anchor === 'start' ? 0 : anchor === 'end' ? wide : wide / 2);
    const area = { left, right: left + wide, top: y + dy - lineHeight + 3, bottom: y + dy + 3 };
    return { label: { x: x + dx, y: y + dy, anchor, label }, area };
  };
  return [
    at('start', gap, 4),
    at('end', -gap, 4),
    at('middle', 0, -gap - 1),
    at('middle', 0, gap + 10),
    at('start', gap * 0.8, -gap * 0.8),
    at('end', -gap * 0.8, -gap * 0.8),
    at('start', gap * 0.8, gap * 0.8 + 8),
    at('end', -gap * 0.8, gap * 0.8 + 8),
  ];
}

function box(x: number, y: number, halfWidth: number, halfHeight: number): Rectangle {
  return { left: x - halfWidth, right: x + halfWidth, top: y - halfHeight, bottom: y + halfHeight };
}

function overlap(a: Rectangle, b: Rectangle): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
