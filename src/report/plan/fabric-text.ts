import type { PlanFabric } from '../../model/plan/fabric.ts';
import { hang, pad, padLeft, type Palette, palette, type TextOptions } from '../ansi.ts';
import { num, percent, plural } from '../format.ts';
import { rate } from './quantities.ts';

/** `inferpath plan fabric` for a terminal: the shape, what to buy, what it carries, and what is left when a switch fails. */
export function renderFabricText(plan: PlanFabric, options: TextOptions): string {
  const paint = palette(options.colors);
  const columns = Math.max(60, options.columns);
  const blocks = [
    shape(plan, columns, paint),
    shopping(plan, columns, paint),
    carries(plan, columns, paint),
    [paint.bold('When one switch fails'), ...plan.failures.flatMap((f) => hang('  ', failureText(f), columns))],
    plan.findings.flatMap((f) => hang(`${paint.verdict[f.verdict](f.verdict.toUpperCase())}  `, f.claim, columns)),
    plan.notes.flatMap((note) => hang('· ', note, columns)).map(paint.dim),
  ];
  return `${blocks.map((block) => block.map((line) => line.trimEnd()).join('\n')).join('\n\n')}\n`;
}

function shape(plan: PlanFabric, columns: number, paint: Palette): string[] {
  const { layout, tiers, gpus, nodes, endpoints, leaf, spine, pods } = plan;
  const kind = layout === 'rail-optimised' ? 'rail-optimised Clos' : 'leaf and spine';
  const tierText = tiers === 1 ? 'one switch' : `${kind}, ${tiers} tiers${pods > 1 ? `, ${pods} pods` : ''}`;
  return [
    ...hang('', `${gpus} GPUs in ${plural(nodes, 'node')}, ${endpoints} NIC ports: ${tierText}`, columns).map(
      paint.bold,
    ),
    ...hang(
      '  leaf   ',
      `${leaf.endpoints} NICs on ${leaf.hostPorts} ports${leaf.uplinks > 0 ? `, ${leaf.uplinks} uplinks, ${leaf.linksPerSpine} to each spine` : ''}`,
      columns,
    ),
    ...(tiers > 1
      ? hang(
          '  spine  ',
          `${spine.downlinks} links down${spine.uplinks > 0 ? `, ${spine.uplinks} up, ${spine.linksPerCore} to each core of its plane` : ''}`,
          columns,
        )
      : []),
  ];
}

function shopping({ switches, ports, cables, transceivers }: PlanFabric, columns: number, paint: Palette): string[] {
  const { leaf, spine, core, total } = switches;
  const cable = (c: PlanFabric['cables'][number]) => {
    const modules = c.transceivers > 0 ? `, ${c.transceivers} modules` : '';
    const text = `${rate(c.gbps)}, ${c.lengthM} m: ${c.medium}${modules}`;
    return [`${padLeft(String(c.count), 8)}  cables ${pad(c.between, 11)}`, text] as const;
  };
  return [
    paint.bold('To buy'),
    `${padLeft(String(total), 8)}  switches: ${leaf} leaf, ${spine} spine, ${core} core; ${ports.used} of ${ports.total} ports used`,
    ...cables.map(cable).flatMap(([head, text]) => hang(`${head} `, text, columns)),
    `${padLeft(String(transceivers), 8)}  pluggable modules`,
  ];
}

function carries(plan: PlanFabric, columns: number, paint: Palette): string[] {
  const share = plan.fullBisectionGbps === 0 ? 1 : plan.bisectionGbps / plan.fullBisectionGbps;
  return [
    paint.bold('What it carries'),
    ...hang(
      '  ',
      `bisection ${rate(plan.bisectionGbps)} each way, ${percent(share)} of what half of the NICs send`,
      columns,
    ),
    ...hang('  ', `oversubscription at the leaf ${num(plan.oversubscription)} : 1`, columns),
    ...hang('  ', `MTU ${plan.mtu.hostBytes} on hosts, ${plan.mtu.switchBytes} on switches: ${plan.mtu.how}`, columns),
    ...hang(
      '  ',
      `such switches connect at most ${plan.largest.twoTiers} NICs in two tiers, ${plan.largest.threeTiers} in three`,
      columns,
    ),
  ];
}

function failureText({ claim, bisectionGbps }: PlanFabric['failures'][number]): string {
  return `${claim}; bisection left ${rate(bisectionGbps)}`;
}
