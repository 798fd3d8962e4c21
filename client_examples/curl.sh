#!/bin/sh
# Every REST call, in an order that works: sh curl.sh [http://localhost:8000] [service-token]
# The token is needed where the server runs with AUTH_REQUIRED.
set -eu
BASE=${1:-http://localhost:8000}
TOKEN=${2:-}

# call METHOD PATH [BODY] [HEADER]: show the call, then its answer; stop at the first error.
call() {
  printf '\n$ %s %s %s\n' "$1" "$2" "${3:-}"
  set -- "$1" "$2" "${3:-}" "${4:-Accept: application/json}"
  if [ -n "$TOKEN" ]; then set -- "$@" -H "Authorization: Bearer $TOKEN"; fi
  method=$1 path=$2 body=$3 header=$4
  shift 4
  if [ -n "$body" ]; then set -- "$@" -H 'Content-Type: application/json' --data "$body"; fi
  curl -sS --fail-with-body --max-time 30 -X "$method" -H "$header" "$@" "$BASE$path"
  echo
}

# Is the server well, alive, ready? What does it count?
call GET /health
call GET /health/live
call GET /health/ready
call GET /metrics '' 'Accept: text/plain' | head -n 8

# Start a session. The answer's Location header is its address; with auth on, data holds a host_token too.
created=$(call POST /api/sessions '{"name": "An evening with curl", "max_users": 4}')
echo "$created"
id=$(echo "$created" | grep -Eo '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' | head -n 1)

# Read it; list all, newest first; change its name and when the spirit speaks.
call GET "/api/sessions/$id"
call GET '/api/sessions?limit=2'
call PATCH "/api/sessions/$id" '{"name": "A quiet evening", "spirit": {"answers": "summon"}}'

# Say something. The key makes it safe to send again: the same message is stored once.
call POST "/api/sessions/$id/messages" '{"message": "Good evening.", "user_name": "Ada", "user_id": "ada"}' 'Idempotency-Key: evening-1'
call POST "/api/sessions/$id/messages" '{"message": "Good evening.", "user_name": "Ada", "user_id": "ada"}' 'Idempotency-Key: evening-1'

# Read what was said: the newest, what came after a seq, what came before one.
call GET "/api/sessions/$id/messages?limit=20"
call GET "/api/sessions/$id/messages?after_seq=0"
call GET "/api/sessions/$id/messages?before_seq=2"

# Who is there now?
call GET "/api/sessions/$id/users"

# A token with which one person may join once within an hour.
call POST "/api/sessions/$id/tokens" '{"role": "member", "user_name": "Ben", "expires_in": 3600, "max_uses": 1}'

# End it: everyone is told and disconnected; what was said can still be read.
call DELETE "/api/sessions/$id"

# The documents for machines.
call GET /openapi.json | head -c 300
call GET /asyncapi.json | head -c 300
