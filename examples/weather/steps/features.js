// One row per day: what is known in the evening of `date`, and the high of `target_date` that is to be forecast.
const { DAY, numberParam, isoDate, readCsv, writeCsv, metrics, fixed, mean } = require("./lib");

const HISTORY = 14; // days that a row looks back
const horizon = numberParam("horizon", { min: 1, max: 14, integer: true });
const days = readCsv("weather");

/** Where in the year a day lies, as waves: 31 December is next to 1 January. */
function season(time) {
    const newYear = Date.UTC(new Date(time).getUTCFullYear(), 0, 1);
    const angle = (2 * Math.PI * (time - newYear)) / (365.25 * DAY);
    return [Math.sin(angle), Math.cos(angle), Math.sin(2 * angle), Math.cos(2 * angle)];
}

function features(index) {
    const today = days[index];
    const back = (count) => days.slice(index - count + 1, index + 1);
    const [sin1, cos1, sin2, cos2] = season(Date.parse(today.date) + horizon * DAY);
    return {
        high: today.temp_max,
        high_1_day_ago: days[index - 1].temp_max,
        high_2_days_ago: days[index - 2].temp_max,
        high_mean_7: mean(back(7).map((day) => day.temp_max)),
        high_mean_14: mean(back(14).map((day) => day.temp_max)),
        low: today.temp_min,
        rain_root: Math.sqrt(today.precipitation),
        rainy_days_3: back(3).filter((day) => day.precipitation > 0).length,
        wind: today.wind,
        sunny: today.weather === "sun" ? 1 : 0,
        season_sin_1: sin1,
        season_cos_1: cos1,
        season_sin_2: sin2,
        season_cos_2: cos2,
    };
}

const rows = [];
for (let i = HISTORY - 1; i + horizon < days.length; i++) {
    // Six decimals: the last digits of sin and cos are not the same in every version of Node.js.
    const known = Object.entries(features(i)).map(([name, value]) => [name, fixed(value, 6)]);
    rows.push({
        date: days[i].date,
        target_date: isoDate(Date.parse(days[i].date) + horizon * DAY),
        target: fixed(days[i + horizon].temp_max, 1),
        ...Object.fromEntries(known),
    });
}

writeCsv("features.csv", rows);
metrics({ feature_rows: rows.length, features: Object.keys(rows[0]).length - 3 });
