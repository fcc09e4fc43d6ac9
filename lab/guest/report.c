// SPDX-License-Identifier: Apache-2.0
#include "report.h"

typedef struct {
  char *at;
  char *end; // room for the checksum and the newline is kept behind it
} Line;

static Line line_start(char *out, char kind) {
  Line line = {out, out + FERRY_LINE_MAX - 8};

  *line.at++ = kind;
  return line;
}

static void add_char(Line *line, char c) {
  if (line->at < line->end)
    *line->at++ = c;
}

static void add_text(Line *line, const char *text) {
  while (*text)
    add_char(line, *text++);
}

static void add_hex(Line *line, uint64_t value) {
  int shift = 60;

  add_char(line, ' ');
  while (shift && !(value >> shift))
    shift -= 4;
  for (; shift >= 0; shift -= 4)
    add_char(line, "0123456789abcdef"[(value >> shift) & 15]);
}

static uint32_t line_end(Line *line, char *out) {
  uint8_t sum = 0;

  for (char *p = out; p < line->at; p++)
    sum += (uint8_t)*p;
  *line->at++ = ' ';
  *line->at++ = '*';
  *line->at++ = "0123456789abcdef"[sum >> 4];
  *line->at++ = "0123456789abcdef"[sum & 15];
  *line->at++ = '\n';
  return (uint32_t)(line->at - out);
}

uint32_t ferry_report_status(char *out, const FerryStatusLine *status) {
  const uint64_t *fields = (const uint64_t *)status;
  Line line = line_start(out, 'S');

  for (int i = 0; i < FERRY_STATUS_FIELDS; i++)
    add_hex(&line, fields[i]);
  return line_end(&line, out);
}

uint32_t ferry_report_error(char *out, const FerryCheckError *error) {
  Line line = line_start(out, 'E');

  add_hex(&line, error->kind);
  add_hex(&line, error->page);
  add_hex(&line, error->word);
  add_hex(&line, error->expected);
  add_hex(&line, error->found);
  return line_end(&line, out);
}

uint32_t ferry_report_text(char *out, char kind, const char *text) {
  Line line = line_start(out, kind);

  add_char(&line, ' ');
  add_text(&line, text);
  return line_end(&line, out);
}

// If text starts with prefix, what follows it; else NULL.
static const char *after(const char *text, const char *prefix) {
  while (*prefix)
    if (*text++ != *prefix++)
      return 0;
  return text;
}

// A decimal number up to 32 bits that ends the word.
static bool read_number(const char *text, uint32_t *out) {
  uint64_t value = 0;

  if (*text < '0' || *text > '9')
    return false;
  for (; *text >= '0' && *text <= '9'; text++) {
    value = value * 10 + (uint32_t)(*text - '0');
    if (value > UINT32_MAX)
      return false;
  }
  *out = (uint32_t)value;
  return *text == '\0' || *text == ' ' || *text == '\n' || *text == '\r';
}

static bool read_pattern(const char *text, FerryPattern *out) {
  char name[16];
  uint32_t n = 0;

  while (*text && *text != ' ' && *text != '\n' && n < sizeof name - 1)
    name[n++] = *text++;
  name[n] = '\0';
  return ferry_pattern_parse(name, out);
}

bool ferry_parameters_parse(const char *line, FerryParameters *out, const char **bad) {
  while (*line) {
    const char *value;
    bool good = true;

    if ((value = after(line, "ferry.rate=")))
      good = read_number(value, &out->rate);
    else if ((value = after(line, "ferry.ws=")))
      good = read_number(value, &out->working_set);
    else if ((value = after(line, "ferry.disk=")))
      good = read_number(value, &out->disk);
    else if ((value = after(line, "ferry.pattern=")))
      good = read_pattern(value, &out->pattern);
    else if (after(line, "ferry."))
      good = false;
    if (!good) {
      *bad = line;
      return false;
    }
    while (*line && *line != ' ')
      line++;
    while (*line == ' ')
      line++;
  }
  return true;
}

FerryCommand ferry_command_parse(const char *line) {
  FerryCommand command = {FERRY_COMMAND_NONE, 0};
  const char *number;

  if ((number = after(line, "flip ")))
    command.kind = FERRY_COMMAND_FLIP;
  else if ((number = after(line, "flip-table ")))
    command.kind = FERRY_COMMAND_FLIP_TABLE;
  else if ((number = after(line, "verify ")))
    command.kind = FERRY_COMMAND_VERIFY;
  if (!number || !read_number(number, &command.number))
    command.kind = FERRY_COMMAND_NONE;
  return command;
}

bool ferry_command_gather(char *line, uint32_t size, uint32_t *length, char c) {
  if (c == '\n' || c == '\r') {
    line[*length] = '\0';
    *length = 0;
    return line[0] != '\0';
  }
  if (*length < size - 1)
    line[(*length)++] = c;
  return false;
}
