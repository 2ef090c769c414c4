# Plain POSIX awk: it runs under gawk, mawk and busybox.
BEGIN {
    FS = ","
    header = "date,precipitation,temp_max,temp_min,wind,weather"
    columns = split(header, name, ",")
    low[2] = 0;   high[2] = 500 # mm
    low[3] = -40; high[3] = 55  # degrees Celsius
    low[4] = -50; high[4] = 40
    low[5] = 0;   high[5] = 60
}

function fault(text) {
    faults++
    if (faults <= 10) print "check: line " NR ": " text > "/dev/stderr"
}

# Days since 0000-03-01, so that the leap day is the last day of its year.
function dayNumber(text,    part, year, month) {
    split(text, part, "-")
    year = part[1] - (part[2] <= 2)
    month = (part[2] + 9) % 12
    return 365 * year + int(year / 4) - int(year / 100) + int(year / 400) + int((153 * month + 2) / 5) + part[3] - 1
}

function checkDate(text,    day) {
    if (text !~ /^[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]$/) { fault("\"" text "\" is not a date"); return }
    day = dayNumber(text)
    if (last != "" && day != lastDay + 1) fault(text " does not follow " last " by one day")
    if (first == "") { first = text; firstDay = day }
    last = text; lastDay = day
}

function checkNumber(column, text) {
    if (text == "") { fault(name[column] " is missing"); return }
    if (text !~ /^-?[0-9]+(\.[0-9]+)?$/) { fault(name[column] " is \"" text "\", not a number"); return }
    if (text + 0 < low[column] || text + 0 > high[column])
        fault(name[column] " is " text ", outside " low[column] " to " high[column])
    if (!(column in least) || text + 0 < least[column] + 0) least[column] = text
    if (!(column in most) || text + 0 > most[column] + 0) most[column] = text
}

NR == 1 {
    if ($0 != header) fault("the header is \"" $0 "\", not \"" header "\"")
    next
}

{
    rows++
    if (NF != columns) { fault(NF " columns, not " columns); next }
    checkDate($1)
    for (i = 2; i < columns; i++) checkNumber(i, $i)
    if ($6 !~ /^(drizzle|fog|rain|snow|sun)$/) fault("weather is \"" $6 "\"")
    if ($4 + 0 > $3 + 0) fault("temp_min " $4 " is above temp_max " $3)
}

END {
    if (rows == 0) fault("there is no data")
    if (faults > 10) print "check: and " faults - 10 " faults more" > "/dev/stderr"
    if (faults) exit 1

    days = lastDay - firstDay + 1
    print rows " rows, " days " days from " first " to " last ", nothing missing" > report
    for (i = 2; i < columns; i++) print name[i] ": " least[i] " to " most[i] > report
    print "rows=" rows > metrics
    print "days=" days > metrics
    close(report)
    while ((getline line < report) > 0) print line
}
