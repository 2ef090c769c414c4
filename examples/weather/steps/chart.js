// Draws the hold-out: what was measured and what was forecast, and each month's mean error of the three forecasts.
const { DAY, readInput, readCsv, writeOutput, fixed, mean } = require("./lib");

const WIDTH = 960;
const HEIGHT = 600;
const LEFT = 56;
const RIGHT = WIDTH - 28;
const TOP = { from: 138, to: 396 }; // the highs
const BOTTOM = { from: 452, to: 552 }; // the errors
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

const days = readCsv("forecast").map((day) => ({ ...day, time: Date.parse(day.date) }));
const evaluation = JSON.parse(readInput("evaluation"));
const methods = ["forecast", "persistence", "climatology"];

const first = days[0].time;
const end = days.at(-1).time + DAY;
const px = (value) => fixed(value, 1);
const scale = (low, high, from, to) => (value) => from + ((value - low) / (high - low)) * (to - from);
const x = scale(first, end, LEFT, RIGHT);

const text = (className, left, top, content, anchor = "start") =>
    `<text class="${className}" x="${px(left)}" y="${px(top)}" text-anchor="${anchor}">${content}</text>`;
const line = (className, x1, y1, x2, y2) =>
    `<line class="${className}" x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}"/>`;

/** Horizontal grid lines with their values, from low to high. */
function grid(low, high, step, y) {
    const values = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step);
    return values.map((value) => [
        line(value === 0 ? "zero" : "grid", LEFT, y(value), RIGHT, y(value)),
        text("tick", LEFT - 10, y(value) + 4, value, "end"),
    ]);
}

/** The months that the hold-out touches. */
function months() {
    const names = [...new Set(days.map((day) => day.date.slice(0, 7)))];
    return names.map((name) => {
        const inMonth = days.filter((day) => day.date.startsWith(name));
        const from = x(inMonth[0].time);
        return { name, days: inMonth, from, width: x(inMonth.at(-1).time + DAY) - from };
    });
}

function monthAxis(all) {
    const labelled = all.filter((_, i) => i % Math.ceil(all.length / 16) === 0);
    const labels = labelled.map(({ name, from, width }, i) => {
        const [year, month] = name.split("-");
        const newYear = labelled[i - 1]?.name.slice(0, 4) !== year;
        const label = MONTHS[Number(month) - 1] + (newYear ? ` ${year}` : "");
        return text("tick", from + width / 2, BOTTOM.to + 20, label, "middle");
    });
    return [all.slice(1).map(({ from }) => line("grid", from, TOP.from, from, TOP.to)), labels];
}

function highs() {
    const values = days.flatMap((day) => [day.actual, day.forecast, day.climatology]);
    const low = Math.floor(Math.min(...values) / 5) * 5;
    const high = Math.ceil(Math.max(...values) / 5) * 5;
    const y = scale(low, high, TOP.to, TOP.from);
    const points = (column) => days.map((day) => `${px(x(day.time + DAY / 2))} ${px(y(day[column]))}`);
    return [
        text("panel", LEFT, TOP.from - 12, "Daily high, °C"),
        grid(low, high, 5, y),
        `<path class="line climatology" d="M${points("climatology").join("L")}"/>`,
        `<path class="line forecast" d="M${points("forecast").join("L")}"/>`,
        // A line of no length with round ends is a dot: one path instead of a circle a day.
        `<path class="dots" d="${points("actual")
            .map((point) => `M${point}h0`)
            .join("")}"/>`,
    ];
}

function errors(all) {
    const bars = all.map((month) =>
        methods.map((method) => mean(month.days.map((day) => Math.abs(day[method] - day.actual)))),
    );
    const high = Math.ceil(Math.max(...bars.flat()) / 2) * 2;
    const y = scale(0, high, BOTTOM.to, BOTTOM.from);
    const draw = ({ from, width }, error, i) => {
        const slot = (width * 0.72) / methods.length;
        const [left, top] = [from + width * 0.14 + i * slot, y(error)];
        const size = `width="${px(slot * 0.88)}" height="${px(BOTTOM.to - top)}"`;
        return `<rect class="bar ${methods[i]}" x="${px(left)}" y="${px(top)}" ${size} rx="1.5"/>`;
    };
    return [
        text("panel", LEFT, BOTTOM.from - 14, "Mean absolute error in each month, °C"),
        grid(0, high, 2, y),
        all.map((month, m) => bars[m].map((error, i) => draw(month, error, i))),
    ];
}

function legend() {
    const top = 90;
    const dots = [0, 1, 2].map((i) => `M${LEFT + 4 + i * 9} ${top - 5}h0`).join("");
    const entry = (method, i) => {
        const left = 190 + i * 236;
        const label = `${method}: off by ${fixed(evaluation[method].mae, 2)} °C`;
        return [
            `<rect class="bar ${method}" x="${left}" y="${top - 11}" width="22" height="12" rx="3"/>`,
            text("label", left + 30, top, label),
        ];
    };
    return [
        `<path class="dots" d="${dots}"/>`,
        text("label", LEFT + 32, top, "measured"),
        methods.map(entry),
    ];
}

// All selectors begin with the chart's own class: a page may hold the picture inline.
const style = `
.weather { font-family: system-ui, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; }
.weather .paper { fill: #ffffff; }
.weather .title { font-size: 21px; font-weight: 600; fill: #1b2129; }
.weather .subtitle, .weather .label, .weather .panel { font-size: 13px; fill: #4d5866; }
.weather .panel { font-weight: 600; }
.weather .tick { font-size: 12px; fill: #66717f; }
.weather .grid { stroke: #e7eaee; }
.weather .zero { stroke: #b4bcc6; }
.weather .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.weather .line.forecast { stroke: #2474d8; }
.weather .line.climatology { stroke: #9aa5b1; stroke-dasharray: 5 4; }
.weather .dots { fill: none; stroke: #1b2129; stroke-width: 3.4; stroke-linecap: round; stroke-opacity: 0.75; }
.weather .bar.forecast { fill: #2474d8; }
.weather .bar.persistence { fill: #e58a2f; }
.weather .bar.climatology { fill: #b9c1ca; }
@media (prefers-color-scheme: dark) {
    .weather .paper { fill: #11161d; }
    .weather .title { fill: #eef2f6; }
    .weather .subtitle, .weather .label, .weather .panel { fill: #b3bdc9; }
    .weather .tick { fill: #939eab; }
    .weather .grid { stroke: #262e38; }
    .weather .zero { stroke: #566170; }
    .weather .line.forecast { stroke: #58a3ff; }
    .weather .line.climatology { stroke: #75818f; }
    .weather .dots { stroke: #f2f5f8; }
    .weather .bar.forecast { fill: #58a3ff; }
    .weather .bar.persistence { fill: #f0a052; }
    .weather .bar.climatology { fill: #5d6875; }
}
`;

const { horizon, trainUntil, forecast, skill } = evaluation;
const ahead = horizon === 1 ? "one day" : `${horizon} days`;
const title = `Seattle’s daily high, forecast ${ahead} ahead`;
const better = `${fixed(Math.abs(skill) * 100, 0)} % ${skill < 0 ? "larger" : "smaller"}`;
const subtitle =
    `Trained until ${trainUntil}, tested on the ${days.length} days after it: R² ${fixed(forecast.r2, 2)}, ` +
    `mean error ${better} than that of persistence`;

const all = months();
const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" class="weather" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${title}</title>`,
    `<desc>${subtitle}</desc>`,
    `<style>${style}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
    text("title", LEFT, 36, title),
    text("subtitle", LEFT, 60, subtitle),
    legend(),
    monthAxis(all),
    highs(),
    errors(all),
    text("tick", RIGHT, HEIGHT - 12, "Data: NOAA", "end"),
    "</svg>",
];
writeOutput("chart.svg", `${parts.flat(Infinity).filter(Boolean).join("\n")}\n`);
console.log(`chart.svg: ${days.length} days, ${all.length} months`);
