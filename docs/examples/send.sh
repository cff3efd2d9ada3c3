#!/bin/sh
# Sends one interest with the AWS CLI: send.sh CLORDID SIDE QTY PRICE
#
# INTAKE_QUEUE_URL is the output IntakeQueueUrl; region, endpoint and credentials are the CLI's own.
set -eu

body=$(printf '{"type":"interest","clOrdId":"%s","symbol":"BTCUSD","side":"%s","orderQty":"%s","price":"%s","ack":true}' "$@")
# Sending again what may not have arrived is safe: the same clOrdId with the same body counts once.
aws sqs send-message ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} \
    --queue-url "$INTAKE_QUEUE_URL" --message-body "$body" --query MessageId --output text
