/** Line charts by uPlot, in the colours of the theme. A module of its own, so that it is loaded only where it is shown. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { span } from '../format.ts';

export type Series = { name: string; colour: string; values: readonly (number | null)[] };

const HEIGHT_PX = 200;
/** With so few minutes, points are drawn: a value between two gaps has no line. */
const FEW = 180;

/** Draws into the box and follows its width. Returns a function that removes the chart. */
export function draw(
  box: HTMLElement,
  minutes: readonly number[],
  series: readonly Series[],
  unit: string,
): () => void {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: colour('ink-soft'), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false } };
  const shownValue = (_: uPlot, value: number | null | undefined) =>
    value == null ? '–' : `${precise.format(value)} ${unit}`.trimEnd();
  /** Without the pointer the legend shows the latest value of each line. */
  const showLatest = (plot: uPlot): void => {
    if (plot.cursor.idx == null) plot.setLegend({ idxs: [minutes.length - 1, ...series.map(latestOf)] }, false);
  };
  const plot = new uPlot(
    {
      hooks: { ready: [showLatest], setCursor: [showLatest] },
      width: box.clientWidth,
      height: HEIGHT_PX,
      cursor: { drag: { x: true, y: false } },
      series: [
        { label: 'time', value: (_: uPlot, minute: number | null) => (minute === null ? '–' : timeOf(minute)) },
        ...series.map((one) => ({
          label: one.name,
          stroke: colour(one.colour),
          width: 1.5,
          spanGaps: true,
          points: { show: minutes.length <= FEW && one.values.includes(null), size: 5, fill: colour(one.colour) },
          value: shownValue,
        })),
      ],
      axes: [
        { ...axis, values: (_: uPlot, marks: number[]) => marks.map(timeOf) },
        { ...axis, size: 56, values: (_: uPlot, marks: number[]) => marks.map((mark) => labelOf(mark, unit)) },
      ],
    },
    [[...minutes], ...series.map(({ values }) => [...values])] as uPlot.AlignedData,
    box,
  );
  const observer = new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: HEIGHT_PX }));
  observer.observe(box);
  return () => {
    observer.disconnect();
    plot.destroy();
  };
}

const latestOf = ({ values }: Series): number | null => {
  const at = values.findLastIndex((value) => value !== null);
  return at < 0 ? null : at;
};

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const timeOf = (minute: number): string => clock.format(minute * 1_000);

const precise = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat('en', { notation: 'compact' });
const labelOf = (value: number, unit: string): string =>
  unit === 'ms' && value >= 1_000 ? span(value) : compact.format(value);
