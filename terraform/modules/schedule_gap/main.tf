# The rules of the fields: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
locals {
  rate = try(regex("^rate\\(([0-9]+) (minute|hour|day)s?\\)$", var.schedule), null)
  # Without a cron the fields of one that always runs stand in, so that everything below has a value.
  cron = try(split(" ", regex("^cron\\((.*)\\)$", var.schedule)[0]), ["*", "*", "*", "*", "?", "*"])

  month_names   = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
  weekday_names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]

  day_of_month = local.cron[2]
  month        = join("", [for part in regexall("[A-Z]+|[^A-Z]+", local.cron[3]) : try(tostring(index(local.month_names, part) + 1), part)])
  # L alone stays, and so does the L of 6L.
  day_of_week = join("", [for part in regexall("[A-KM-Z][A-Z]{2}|[^A-KM-Z]+", local.cron[4]) : try(tostring(index(local.weekday_names, part) + 1), part)])
  year        = local.cron[5]

  fields = {
    hours         = { text = local.cron[1], first = 0, last = 23 }
    days_of_month = { text = local.day_of_month, first = 1, last = 31 }
    months        = { text = local.month, first = 1, last = 12 }
    days_of_week  = { text = local.day_of_week == "L" ? "7" : local.day_of_week, first = 1, last = 7 }
  }

  widths = { for field, given in local.fields : field => given.last - given.first + 1 }

  parts = {
    for field, given in local.fields : field => [
      for part in split(",", given.text) : regex("^(\\*|[0-9]+)(?:-([0-9]+))?(?:/([0-9]+))?$", part)
      if can(regex("^(\\*|[0-9]+)(?:-([0-9]+))?(?:/([0-9]+))?$", part))
    ]
  }

  ranges = {
    for field, parts in local.parts : field => [
      for part in parts : {
        first = part[0] == "*" ? local.fields[field].first : tonumber(part[0])
        # `5/10` goes on to the end, `5` does not, and `6-2` goes round.
        last = (
          part[0] == "*" || (part[1] == null && part[2] != null) ? local.fields[field].last :
          tonumber(part[1] == null ? part[0] : part[1])
        )
        step = part[2] == null ? 1 : tonumber(part[2])
      }
    ]
  }

  numbers = {
    for field, ranges in local.ranges : field => flatten([
      for part in ranges : [
        # A range that goes round keeps its step on the way: hours 20-3/5 are 20 and 1.
        for number in range(part.first, part.last + 1 + (part.first <= part.last ? 0 : local.widths[field]), part.step) :
        (number - local.fields[field].first) % local.widths[field] + local.fields[field].first
      ]
    ])
  }

  # Days of the month and of the week by number come round within two years. The others need the 28 in which the calendar
  # itself comes round: 1W of January comes 368 days after the one before in a single year of them. They begin with a Monday.
  years = local.month == "*" && can(regex("^[0-9*?,/-]+$", "${local.day_of_month}${local.fields.days_of_week.text}")) ? 2 : 28
  lengths = flatten([
    for year in range(2024, 2024 + local.years) : [
      for month in range(1, 13) : {
        month = month
        days  = month == 2 ? (year % 4 == 0 ? 29 : 28) : contains([4, 6, 9, 11], month) ? 30 : 31
      }
    ]
  ])
  days = flatten([for length in local.lengths : [for day in range(1, length.days + 1) : { month = length.month, day = day, last = length.days }]])

  # As AWS counts them: 1 is Sunday.
  calendar = [for place, day in local.days : merge(day, { place = place, weekday = (place + 1) % 7 + 1 })]
  working  = [2, 3, 4, 5, 6]

  nearest  = try(tonumber(regex("^([0-9]+)W$", local.day_of_month)[0]), 0)
  last_of  = try(tonumber(regex("^([1-7])L$", local.day_of_week)[0]), 0)
  numbered = try([for digit in regex("^([1-7])#([1-5])$", local.day_of_week) : tonumber(digit)], [0, 0])

  runs = [
    for day in local.calendar : day.place if contains(local.numbers.months, day.month) && (
      local.day_of_month == "L" ? day.day == day.last :
      local.day_of_month == "LW" ? (
        contains(local.working, day.weekday) && (day.day == day.last || (day.weekday == 6 && day.last - day.day <= 2))
      ) :
      local.nearest > 0 ? (
        contains(local.working, day.weekday) && local.nearest <= day.last && (
          day.day == local.nearest
          # The Friday before a Saturday and the Monday after a Sunday, but never in another month.
          || (day.weekday == 6 && day.day == local.nearest - 1)
          || (day.weekday == 2 && day.day == local.nearest + 1)
          || (day.weekday == 2 && day.day == 3 && local.nearest == 1)
          || (day.weekday == 6 && day.day == day.last - 2 && local.nearest == day.last)
        )
      ) :
      local.day_of_month != "?" ? contains(local.numbers.days_of_month, day.day) :
      local.last_of > 0 ? day.weekday == local.last_of && day.last - day.day < 7 :
      local.numbered[0] > 0 ? day.weekday == local.numbered[0] && ceil(day.day / 7) == local.numbered[1] :
      contains(local.numbers.days_of_week, day.weekday)
    )
  ]

  days_between = [for before, run in try(slice(local.runs, 1, length(local.runs)), []) : run - local.runs[before]]

  hours         = [for hour in range(24) : hour if contains(local.numbers.hours, hour)]
  hours_between = [for before, hour in try(slice(local.hours, 1, length(local.hours)), []) : hour - local.hours[before]]

  # A schedule of some years only has an end, after which it is silent for ever.
  cron_gap = length(local.days_between) == 0 || length(local.hours) == 0 || local.year != "*" ? null : max(concat(
    [max(local.days_between...) * 24 - (local.hours[length(local.hours) - 1] - local.hours[0])],
    local.hours_between,
  )...)

  rate_gap = try(tonumber(local.rate[0]) * { minute = 1, hour = 60, day = 1440 }[local.rate[1]] / 60, null)
}
